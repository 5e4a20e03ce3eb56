import { createRoute, z } from '@hono/zod-openapi'
import { streamSSE } from 'hono/streaming'
import { isFinal } from '../../model/operation.ts'
import type { Api, ApiDeps } from '../deps.ts'
import { problems } from '../http/responses.ts'
import { opaqueId } from '../schemas/names.ts'
import { presentEvent } from '../schemas/operation.ts'
import { findOperation } from './operations.ts'

const route = createRoute({
  operationId: 'followOperation',
  method: 'get',
  path: '/v1/operations/{operation}/events',
  tags: ['Operations'],
  summary: 'Follow an operation (server-sent events); resumes after `Last-Event-ID`, ends with the operation',
  request: {
    params: z.object({ operation: opaqueId('op') }),
    headers: z.object({
      'last-event-id': z
        .string()
        .regex(/^\d{1,15}$/, 'a number')
        .optional(),
    }),
  },
  responses: {
    200: {
      description: 'Events: `operation`, `plan`, `unit`, `resource`, `log`; last one `end`',
      content: { 'text/event-stream': { schema: z.string() } },
    },
    ...problems,
  },
})

/** Milliseconds between two comments that keep proxies from closing a quiet stream. */
const heartbeat = 10_000

export function addOperationEvents(api: Api, deps: ApiDeps): void {
  const { store } = deps
  api.openapi(route, async (c) => {
    const { id } = await findOperation(deps, c.var.tenantId, c.req.valid('param').operation)
    let last = Number(c.req.valid('header')['last-event-id'] ?? 0)
    return streamSSE(c, async (stream) => {
      const gone = new AbortController()
      stream.onAbort(() => gone.abort())
      let said = Date.now()
      while (!gone.signal.aborted) {
        // Read before the events, so that none is missed between the two.
        const row = await store.operations.get(id)
        const events = await store.operations.events(id, last, 500)
        for (const event of events) {
          await stream.writeSSE({ id: String(event.seq), event: event.type, data: JSON.stringify(presentEvent(event)) })
          last = event.seq
          said = Date.now()
        }
        if (events.length > 0) continue
        if (!row || isFinal(row.status)) {
          await stream.writeSSE({ event: 'end', data: JSON.stringify({ status: row?.status ?? 'cancelled' }) })
          return
        }
        if (Date.now() - said > heartbeat) {
          await stream.write(': still here\n\n')
          said = Date.now()
        }
        await store.changed(`operation:${id}`, { timeout: 1000, signal: gone.signal }).catch(() => undefined)
      }
    })
  })
}
