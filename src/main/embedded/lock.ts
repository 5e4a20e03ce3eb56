import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { link, rename, rm, writeFile } from 'node:fs/promises'
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
      await removeStale(path, holder)
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

/** Moves it away first: if another process was faster and this is its lock already, it is put back. */
async function removeStale(path: string, stale: string): Promise<void> {
  const aside = `${path}.${randomBytes(6).toString('hex')}.stale`
  try {
    await rename(path, aside)
  } catch {
    return
  }
  if ((await readState(aside)) !== stale) await linked(aside, path)
  await rm(aside, { force: true })
}

async function release(path: string, own: string): Promise<void> {
  if ((await readState(path)) === own) await rm(path, { force: true })
}
