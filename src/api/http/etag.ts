import type { Context } from 'hono'
import { sha256 } from '../../lib/digest.ts'
import { KitbagError } from '../../model/errors.ts'
import { canonicalJson } from '../../model/json.ts'

/** Strong entity tag of a representation: equal exactly when its JSON is. */
export function etagOf(body: unknown): string {
  return `"${sha256(canonicalJson(body)).slice(0, 32)}"`
}

/** Whether the client's `If-None-Match` names this tag: then 304 is the answer. */
export function isNotModified(c: Context, etag: string): boolean {
  return listed(c.req.header('if-none-match'), etag)
}

/** Throws `precondition-failed` when the request has an `If-Match` that does not name this tag. */
export function requireMatch(c: Context, etag: string): void {
  const header = c.req.header('if-match')
  if (header === undefined || listed(header, etag)) return
  throw new KitbagError('precondition-failed', 'If-Match: it was changed since this version was read', {
    fix: 'Read it again, look at what changed, and send the new ETag.',
    problems: [{ path: 'If-Match', message: 'another version is current', found: header, allowed: [etag] }],
  })
}

function listed(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  return header.trim() === '*' || header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)
}
