import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type FileHandle, mkdir, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isMissing } from '../../lib/state-file.ts'
import { KitbagError } from '../../model/errors.ts'

/**
 * Runs `work` while holding a lock on a file, against every other holder in this and other processes.
 *
 * Node has no flock(2), so util-linux's `flock` takes the lock on the file description that it inherits from us; the lock then
 * lives exactly as long as our descriptor: kill -9 of this process frees it too. The file may be removed by its holder.
 *
 * @param timeout seconds to wait for another holder. Throws `conflict` (retryable) after it.
 */
export async function withLock<T>(path: string, work: () => Promise<T>, timeout = 120): Promise<T> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  for (;;) {
    const file = await open(path, 'a', 0o600)
    try {
      await acquire(path, file, timeout)
      if (await isCurrent(path, file)) return await work()
    } finally {
      await file.close()
    }
  }
}

async function acquire(path: string, file: FileHandle, timeout: number): Promise<void> {
  const child = spawn('flock', ['--exclusive', '--wait', String(timeout), '3'], {
    stdio: ['ignore', 'ignore', 'ignore', file.fd],
  })
  const [status] = await once(child, 'close')
  if (status === 0) return
  throw new KitbagError('conflict', `local: another process held ${path} for more than ${timeout} seconds`, {
    retryable: true,
    fix: `See who holds it: fuser -v ${path}`,
  })
}

/** False when the holder before us removed the file: then a newcomer locks another file of that name, and so must we. */
async function isCurrent(path: string, file: FileHandle): Promise<boolean> {
  try {
    const [ours, there] = await Promise.all([file.stat(), stat(path)])
    return ours.ino === there.ino
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}
