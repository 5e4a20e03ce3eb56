import { createRoute } from '@hono/zod-openapi'
import type { Api, ApiDeps } from '../deps.ts'
import { json, jsonBody, problems } from '../http/responses.ts'
import { sweepReportSchema, sweepRequestSchema } from '../schemas/sweep.ts'

const route = createRoute({
  operationId: 'sweep',
  method: 'post',
  path: '/v1/sweep',
  tags: ['Clouds'],
  summary: 'Find machines of this installation that no deployment knows, and what else is left',
  request: { body: jsonBody(sweepRequestSchema) },
  responses: { 200: json(sweepReportSchema, 'What was found'), ...problems },
})

export function addSweep(api: Api, { clouds }: ApiDeps): void {
  api.openapi(route, async (c) =>
    c.json(await clouds.sweep({ remove: c.req.valid('json').remove, tenantId: c.var.tenantId }), 200),
  )
}
