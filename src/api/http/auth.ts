import type { Context, MiddlewareHandler } from 'hono'
import type { Store } from '../../db/store.ts'
import { KitbagError } from '../../model/errors.ts'
import type { ApiEnv } from '../deps.ts'
import { problemDetails, problemResponse } from './problem.ts'

/** Pages that a browser opens: there the token may also come as the password of HTTP Basic, which is what a browser can ask for. */
const readable = (path: string) => ['/', '/docs', '/openapi.json'].includes(path) || path.startsWith('/deployments/')

/** Every request but the liveness check needs a token. It sets `tenantId` for what follows. */
export function authenticate(store: Pick<Store, 'tokens'>): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    if (c.req.path === '/healthz') return next()
    const token = tokenOf(c)
    const known = token === undefined ? undefined : await store.tokens.authenticate(token)
    if (!known) return refusal(c, token !== undefined)
    c.set('tenantId', known.tenantId)
    return next()
  }
}

function tokenOf(c: Context<ApiEnv>): string | undefined {
  const [, scheme = '', value = ''] = /^(\S+) +(\S+) *$/.exec(c.req.header('authorization') ?? '') ?? []
  if (scheme.toLowerCase() === 'bearer') return value
  if (scheme.toLowerCase() !== 'basic' || !readable(c.req.path)) return undefined
  return Buffer.from(value, 'base64')
    .toString('utf8')
    .replace(/^[^:]*:/, '')
}

function refusal(c: Context<ApiEnv>, given: boolean): Response {
  const error = new KitbagError('unauthorized', given ? 'this token is not known' : 'this request has no token', {
    fix: 'Send `Authorization: Bearer TOKEN`; the first token is in the file admin-token in KITBAG_HOME.',
  })
  const scheme = readable(c.req.path) ? 'Basic realm="kitbag", charset="UTF-8"' : 'Bearer realm="kitbag"'
  return problemResponse(problemDetails(error), { 'www-authenticate': scheme })
}
