import { createRoute, z } from '@hono/zod-openapi'
import type { Api } from '../deps.ts'
import { json } from '../http/responses.ts'

const route = createRoute({
  operationId: 'getHealth',
  method: 'get',
  path: '/healthz',
  tags: ['Service'],
  summary: 'Whether it answers; needs no token',
  security: [],
  responses: { 200: json(z.object({ ok: z.literal(true) }), 'It answers') },
})

export function addHealth(api: Api): void {
  api.openapi(route, (c) => c.json({ ok: true as const }, 200))
}
