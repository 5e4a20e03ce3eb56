import { createRoute, z } from '@hono/zod-openapi'
import { KitbagError } from '../../model/errors.ts'
import type { JsonObject } from '../../model/json.ts'
import type { Api, ApiDeps } from '../deps.ts'
import { pagedWhole } from '../http/paging.ts'
import { json, jsonBody, problems } from '../http/responses.ts'
import { cloudChangeSchema, cloudSchema, findingSchema, newCloudSchema, presentCloud } from '../schemas/cloud.ts'
import { cloudName } from '../schemas/names.ts'
import { pageOf, pageQuery } from '../schemas/page.ts'

const params = z.object({ cloud: cloudName })
const tags = ['Clouds']

const create = createRoute({
  operationId: 'createCloud',
  method: 'post',
  path: '/v1/clouds',
  tags,
  summary: 'Connect a cloud',
  request: { body: jsonBody(newCloudSchema) },
  responses: { 201: json(cloudSchema, 'Connected'), ...problems },
})
const list = createRoute({
  operationId: 'listClouds',
  method: 'get',
  path: '/v1/clouds',
  tags,
  summary: 'List connected clouds',
  request: { query: pageQuery },
  responses: { 200: json(pageOf(cloudSchema), 'A page'), ...problems },
})
const get = createRoute({
  operationId: 'getCloud',
  method: 'get',
  path: '/v1/clouds/{cloud}',
  tags,
  summary: 'One cloud',
  request: { params },
  responses: { 200: json(cloudSchema, 'The cloud'), ...problems },
})
const update = createRoute({
  operationId: 'updateCloud',
  method: 'put',
  path: '/v1/clouds/{cloud}',
  tags,
  summary: 'Give a cloud other settings',
  request: { params, body: jsonBody(cloudChangeSchema) },
  responses: { 200: json(cloudSchema, 'The cloud'), ...problems },
})
const test = createRoute({
  operationId: 'testCloud',
  method: 'post',
  path: '/v1/clouds/{cloud}/test',
  tags,
  summary: 'Check what a deployment would need of it',
  request: { params },
  responses: { 200: json(z.object({ ok: z.boolean(), findings: z.array(findingSchema) }), 'Findings'), ...problems },
})
const remove = createRoute({
  operationId: 'removeCloud',
  method: 'delete',
  path: '/v1/clouds/{cloud}',
  tags,
  summary: 'Forget a cloud that no deployment uses',
  request: { params },
  responses: { 204: { description: 'Forgotten' }, ...problems },
})

export function unknownCloud(name: string): KitbagError {
  return new KitbagError('not-found', `there is no cloud ${name}`, {
    fix: 'See `kitbag cloud list`; connect one with `kitbag cloud add`.',
  })
}

export function addClouds(api: Api, { store, clouds }: ApiDeps): void {
  const find = async (tenantId: string, name: string) => {
    const cloud = await store.clouds.getByName(tenantId, name)
    if (!cloud) throw unknownCloud(name)
    return cloud
  }
  api.openapi(create, async (c) => {
    const { name, provider, settings, credentials } = c.req.valid('json')
    const checked = await clouds.validate(provider, settings as JsonObject, credentials as JsonObject)
    return c.json(presentCloud(await store.clouds.create(c.var.tenantId, { name, provider, ...checked })), 201)
  })
  api.openapi(list, async (c) => {
    const rows = await store.clouds.list(c.var.tenantId)
    return c.json(await pagedWhole(c.req.valid('query'), rows, ({ id }) => id, presentCloud), 200)
  })
  api.openapi(get, async (c) => c.json(presentCloud(await find(c.var.tenantId, c.req.valid('param').cloud)), 200))
  api.openapi(update, async (c) => {
    const { id, name, provider } = await find(c.var.tenantId, c.req.valid('param').cloud)
    const { settings, credentials } = c.req.valid('json')
    const given = credentials ?? (await store.clouds.get(id))?.credentials ?? {}
    const checked = await clouds.validate(provider, settings as JsonObject, given as JsonObject)
    await clouds.refuseChange(id, checked)
    const changed = await store.clouds.update(c.var.tenantId, name, {
      settings: checked.settings,
      ...(credentials && { credentials: checked.credentials }),
    })
    if (!changed) throw unknownCloud(name)
    clouds.changed(id)
    return c.json(presentCloud(changed), 200)
  })
  api.openapi(test, async (c) => {
    const findings = await clouds.test((await find(c.var.tenantId, c.req.valid('param').cloud)).id)
    return c.json({ ok: findings.every(({ ok }) => ok), findings }, 200)
  })
  api.openapi(remove, async (c) => {
    const { cloud } = c.req.valid('param')
    if (!(await store.clouds.remove(c.var.tenantId, cloud))) throw unknownCloud(cloud)
    return c.body(null, 204)
  })
}
