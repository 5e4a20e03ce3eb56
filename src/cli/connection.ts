import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Connection } from '../api/client.ts'
import { KitbagError } from '../model/errors.ts'

function home(env: NodeJS.ProcessEnv): string {
  if (env.KITBAG_HOME) return env.KITBAG_HOME
  return process.getuid?.() === 0
    ? '/var/lib/kitbag'
    : join(env.XDG_DATA_HOME ?? join(homedir(), '.local/share'), 'kitbag')
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return undefined
  }
}

/** Which control plane to talk to: KITBAG_URL and KITBAG_TOKEN, else the embedded one of KITBAG_HOME. Throws `control-plane-unreachable`. */
export function findConnection(env: NodeJS.ProcessEnv = process.env): Connection {
  const folder = home(env)
  const running = read(join(folder, 'control-plane.json'))
  const url = env.KITBAG_URL ?? (running === undefined ? undefined : (JSON.parse(running) as { url: string }).url)
  const token = env.KITBAG_TOKEN ?? read(join(folder, 'admin-token'))
  if (url !== undefined && token !== undefined) return { url, token }
  const missing = url === undefined ? `no control plane runs on ${folder}` : `there is no token in ${folder}`
  throw new KitbagError('control-plane-unreachable', missing, {
    fix: 'Start one with `kitbag up`, or name one with KITBAG_URL and KITBAG_TOKEN.',
  })
}
