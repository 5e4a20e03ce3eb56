import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/** Where a control plane keeps its state: `KITBAG_HOME`, else /var/lib/kitbag as root, else the user's data folder (XDG). */
export function homeFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.KITBAG_HOME) return resolve(env.KITBAG_HOME)
  if (process.getuid?.() === 0) return '/var/lib/kitbag'
  return join(env.XDG_DATA_HOME || join(homedir(), '.local/share'), 'kitbag')
}

/** What every installation on this box can share (programs, images): `KITBAG_CACHE`, else /var/cache/kitbag as root, else XDG's. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.KITBAG_CACHE) return resolve(env.KITBAG_CACHE)
  if (process.getuid?.() === 0) return '/var/cache/kitbag'
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'kitbag')
}
