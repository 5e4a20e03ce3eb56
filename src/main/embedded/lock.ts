import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { link, rm, writeFile } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { readState } from '../../lib/state-file.ts'
import { startOf } from './processes.ts'

export interface Lock {
  release(): Promise<void>
}

/** A process, named for good: its number, its start, and the boot that both belong to. */
function nameOf(pid: number): string {
  return `${pid} ${startOf(pid) ?? ''} ${bootId()}`
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}

/** Takes the lock file, or says which living process holds it. One that a dead process left is taken over. */
export async function tryLock(path: string): Promise<{ lock: Lock } | { pid: number }> {
  const own = nameOf(process.pid)
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  await writeFile(draft, own, { mode: 0o600 })
  try {
    for (;;) {
      if (await linked(draft, path)) return { lock: { release: () => release(path, own) } }
      const holder = await readState(path)
      if (holder === undefined) continue
      const pid = Number.parseInt(holder, 10)
      if (nameOf(pid) === holder) return { pid }
      await removeStale(draft, path, holder)
    }
  } finally {
    await rm(draft, { force: true })
  }
}

async function linked(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/**
 * Removes a dead process's lock, one taker at a time: whoever has the guard looks again, so that none removes the lock that another
 * has just taken. A guard is held for an instant; one whose holder died within it is removed by the next.
 */
async function removeStale(draft: string, path: string, stale: string): Promise<void> {
  const guard = `${path}.takeover`
  if (!(await linked(draft, guard))) {
    const holder = await readState(guard)
    if (holder !== undefined && nameOf(Number.parseInt(holder, 10)) !== holder) await rm(guard, { force: true })
    await setImmediate()
    return
  }
  try {
    if ((await readState(path)) === stale) await rm(path, { force: true })
  } finally {
    await rm(guard, { force: true })
  }
}

async function release(path: string, own: string): Promise<void> {
  if ((await readState(path)) === own) await rm(path, { force: true })
}
