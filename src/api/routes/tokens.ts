import { createRoute, z } from '@hono/zod-openapi'
import { KitbagError } from '../../model/errors.ts'
import type { Api, ApiDeps } from '../deps.ts'
import { pagedWhole } from '../http/paging.ts'
import { json, jsonBody, problems } from '../http/responses.ts'
import { opaqueId } from '../schemas/names.ts'
import { pageOf, pageQuery } from '../schemas/page.ts'
import { createdTokenSchema, newTokenSchema, tokenSchema } from '../schemas/token.ts'

const tags = ['Tokens']
const create = createRoute({
  operationId: 'createToken',
  method: 'post',
  path: '/v1/tokens',
  tags,
  summary: 'Make a token; it is shown this once',
  request: { body: jsonBody(newTokenSchema) },
  responses: { 201: json(createdTokenSchema, 'The token'), ...problems },
})
const list = createRoute({
  operationId: 'listTokens',
  method: 'get',
  path: '/v1/tokens',
  tags,
  summary: 'List tokens',
  request: { query: pageQuery },
  responses: { 200: json(pageOf(tokenSchema), 'A page'), ...problems },
})
const remove = createRoute({
  operationId: 'removeToken',
  method: 'delete',
  path: '/v1/tokens/{token}',
  tags,
  summary: 'Withdraw a token',
  request: { params: z.object({ token: opaqueId('tok') }) },
  responses: { 204: { description: 'Withdrawn' }, ...problems },
})

export function addTokens(api: Api, { store }: ApiDeps): void {
  api.openapi(create, async (c) => {
    const { name } = c.req.valid('json')
    const { id, token } = await store.tokens.create(c.var.tenantId, name)
    return c.json({ id, name, createdAt: new Date().toISOString(), token }, 201)
  })
  api.openapi(list, async (c) => {
    const present = ({ id, name, createdAt }: { id: string; name: string; createdAt: Date }) => ({
      id,
      name,
      createdAt: createdAt.toISOString(),
    })
    return c.json(
      await pagedWhole(c.req.valid('query'), await store.tokens.list(c.var.tenantId), ({ id }) => id, present),
      200,
    )
  })
  api.openapi(remove, async (c) => {
    if (!(await store.tokens.remove(c.var.tenantId, c.req.valid('param').token)))
      throw new KitbagError('not-found', 'there is no such token')
    return c.body(null, 204)
  })
}
