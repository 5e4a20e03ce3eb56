import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

export { homeFolder } from '../lib/home-folder.ts'

/** What every installation on this box can share (programs, images): `KITBAG_CACHE`, else /var/cache/kitbag as root, else XDG's. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.KITBAG_CACHE) return resolve(env.KITBAG_CACHE)
  if (process.getuid?.() === 0) return '/var/cache/kitbag'
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'kitbag')
}
