import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KitbagError } from '../../model/errors.ts'

/** A unix socket's path holds at most 107 bytes (unix(7)); PostgreSQL adds `/.s.PGSQL.5432`. */
const longest = 107 - '/.s.PGSQL.5432'.length

/** A folder of this user alone for PostgreSQL's socket: in the home, or, where that path is too long, a short one named after it. */
export function socketFolder(home: string): string {
  const own = join(home, 'run')
  const folder = Buffer.byteLength(own) <= longest ? own : shortFolder(home)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const found = lstatSync(folder)
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o077) !== 0) {
    throw new KitbagError('prerequisite-missing', `${folder} is not a folder of this user alone`, {
      fix: `Remove it: rm -r ${folder}`,
    })
  }
  return folder
}

function shortFolder(home: string): string {
  const base = process.getuid?.() === 0 ? '/run' : (process.env.XDG_RUNTIME_DIR ?? tmpdir())
  return join(base, `kitbag-${createHash('sha256').update(home).digest('hex').slice(0, 16)}`)
}
