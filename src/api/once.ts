import { z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { idempotencyMismatch } from '../db/operations.ts'
import { digestOf } from '../lib/digest.ts'
import type { OperationRecord } from '../model/operation.ts'
import type { ApiDeps, ApiEnv } from './deps.ts'

/** What every route that answers with an operation takes. */
export const onceHeaders = z.object({
  'idempotency-key': z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('The same key and request give the same operation; nothing is done twice'),
})

export interface Once {
  /** What an earlier request with this key made: before anything else, because it may have taken away what the request is about. */
  known?: OperationRecord
  /** For the operation that this request submits. */
  as: { idempotencyKey?: string; requestDigest?: string }
}

/** What the request's `Idempotency-Key` says. `asked` is what the key stands for. Throws `idempotency-mismatch` for another request's. */
export async function onceOf({ store }: ApiDeps, c: Context<ApiEnv>, asked: unknown): Promise<Once> {
  const key = c.req.header('idempotency-key')
  if (key === undefined) return { as: {} }
  const requestDigest = digestOf(asked)
  const found = await store.operations.byIdempotencyKey(c.var.tenantId, key)
  if (found && found.requestDigest !== requestDigest) throw idempotencyMismatch(key, found.operation.id)
  return { ...(found && { known: found.operation }), as: { idempotencyKey: key, requestDigest } }
}
