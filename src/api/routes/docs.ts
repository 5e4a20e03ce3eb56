import { createRoute, z } from '@hono/zod-openapi'
import type { Api, ApiDeps } from '../deps.ts'
import { docsPage } from '../http/docs-page.ts'
import { openApiDocument } from '../http/openapi-document.ts'
import { json, problems } from '../http/responses.ts'

const tags = ['Service']
const version = createRoute({
  operationId: 'getVersion',
  method: 'get',
  path: '/v1',
  tags,
  summary: 'Name and version of the control plane',
  responses: { 200: json(z.object({ name: z.literal('kitbag'), version: z.string() }), 'Version'), ...problems },
})
const document = createRoute({
  operationId: 'getOpenApiDocument',
  method: 'get',
  path: '/openapi.json',
  tags,
  summary: 'This document',
  responses: { 200: json(z.looseObject({ openapi: z.string() }), 'OpenAPI 3.1'), ...problems },
})
const page = createRoute({
  operationId: 'getDocs',
  method: 'get',
  path: '/docs',
  tags,
  summary: 'The same for people',
  responses: { 200: { description: 'A page', content: { 'text/html': { schema: z.string() } } }, ...problems },
})

export function addDocs(api: Api, deps: ApiDeps): void {
  api.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' })
  api.openapi(version, (c) => c.json({ name: 'kitbag' as const, version: deps.version }, 200))
  api.openapi(document, (c) => c.json(openApiDocument(api, deps.version), 200) as never)
  api.openapi(page, (c) => c.html(docsPage(openApiDocument(api, deps.version)), 200))
}
