import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds that a control plane gets to end cleanly. */
const patience = 15_000

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

function isAlive(pid: number, word: string): boolean {
  return read(`/proc/${pid}/cmdline`)?.includes(word) ?? false
}

/**
 * One demo at a time per home. A control plane that a killed demo left behind is ended first. Throws when another demo is there, or
 * when the control plane does not end.
 */
export async function claimHome(home: string): Promise<void> {
  const file = join(home, 'demo.pid')
  const other = Number(read(file) ?? 0)
  if (other > 0 && other !== process.pid && isAlive(other, 'demo.js'))
    throw new Error(`another demo runs (process ${other}): end it first, or set KITBAG_DEMO_HOME to another folder.`)
  const running = read(join(home, 'control-plane.json'))
  const { pid } = running === undefined ? { pid: 0 } : (JSON.parse(running) as { pid: number })
  if (pid > 0 && isAlive(pid, 'kitbag.js')) {
    process.kill(pid, 'SIGTERM')
    for (const end = Date.now() + patience; isAlive(pid, 'kitbag.js'); await sleep(50))
      if (Date.now() > end) throw new Error(`the control plane that a demo left behind (process ${pid}) does not end.`)
  }
  writeFileSync(file, String(process.pid))
}
