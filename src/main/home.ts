import { existsSync } from 'node:fs'
import { chmod, mkdir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { writeState } from '../lib/state-file.ts'
import { KitbagError } from '../model/errors.ts'
import { type Lock, tryLock } from './embedded/lock.ts'

/** Makes the home, of this user alone. Throws `prerequisite-missing` naming it. */
export async function ensureHome(home: string): Promise<void> {
  try {
    await makeFolder(home)
    await chmod(home, 0o700)
  } catch (cause) {
    throw new KitbagError('prerequisite-missing', `cannot make the folder ${home} (${(cause as Error).message})`, {
      cause,
      fix: 'Set KITBAG_HOME to a folder that this user may write to.',
    })
  }
}

/** With its parents. Not by `recursive`, which never ends where a folder is there and takes no new ones (/proc). */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return
    const parent = dirname(path)
    if (code !== 'ENOENT' || existsSync(parent)) throw error
    await makeFolder(parent)
    await makeFolder(path)
  }
}

/** One all-in-one control plane per home. Throws `conflict` naming the process that is there; a dead one's lock is taken over. */
export async function lockHome(home: string): Promise<Lock> {
  const taken = await tryLock(join(home, 'lock'))
  if ('lock' in taken) return taken.lock
  throw new KitbagError('conflict', `a control plane runs on ${home} already (process ${taken.pid})`, {
    fix: 'Use that one, end it, or set KITBAG_HOME to another folder.',
  })
}

/** Where the CLI beside this control plane finds it. */
export async function writeAddress(home: string, url: string): Promise<void> {
  await writeState(join(home, 'control-plane.json'), `${JSON.stringify({ url, pid: process.pid })}\n`)
}

export async function removeAddress(home: string): Promise<void> {
  await rm(join(home, 'control-plane.json'), { force: true })
}
