import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Connection } from '../api/client.ts'
import { homeFolder } from '../lib/home-folder.ts'
import { KitbagError } from '../model/errors.ts'

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return undefined
  }
}

function runningUrl(home: string): string | undefined {
  const running = read(join(home, 'control-plane.json'))
  return running === undefined ? undefined : (JSON.parse(running) as { url: string }).url
}

/**
 * Which control plane to talk to: KITBAG_URL and KITBAG_TOKEN, else the embedded one of KITBAG_HOME, whose token goes to no other.
 * Throws `invalid-request` for what is no URL, `unauthorized` without a token, `control-plane-unreachable` where none runs.
 */
export function findConnection(env: NodeJS.ProcessEnv = process.env): Connection {
  const home = homeFolder(env)
  const own = runningUrl(home)
  const url = env.KITBAG_URL || own
  if (url === undefined) {
    throw new KitbagError('control-plane-unreachable', `no control plane runs on ${home}`, {
      fix: 'Start one with `kitbag up`, or name one with KITBAG_URL and KITBAG_TOKEN.',
    })
  }
  const origin = originOf(url)
  const isOwn = own !== undefined && origin === originOf(own)
  const token = env.KITBAG_TOKEN || (isOwn ? read(join(home, 'admin-token')) : undefined)
  if (token !== undefined) return { url, token }
  throw new KitbagError('unauthorized', `there is no token for the control plane at ${url}`, {
    fix: 'Set KITBAG_TOKEN to one of its tokens: its first is in the file admin-token in its KITBAG_HOME.',
  })
}

function originOf(url: string): string {
  if (/^https?:/i.test(url) && URL.canParse(url)) return new URL(url).origin
  throw new KitbagError(
    'invalid-request',
    `KITBAG_URL is "${url}": it must be a URL, for example http://127.0.0.1:7070`,
  )
}
