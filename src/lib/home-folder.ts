import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/** Where a control plane keeps its state: `KITBAG_HOME`, else /var/lib/kitbag as root, else the user's data folder (XDG). */
export function homeFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.KITBAG_HOME) return resolve(env.KITBAG_HOME)
  if (process.getuid?.() === 0) return '/var/lib/kitbag'
  return join(env.XDG_DATA_HOME || join(homedir(), '.local/share'), 'kitbag')
}
