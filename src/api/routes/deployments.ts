import { createRoute } from '@hono/zod-openapi'
import type { DeploymentRecord } from '../../db/store.ts'
import { nearest } from '../../lib/nearest.ts'
import { KitbagError } from '../../model/errors.ts'
import type { Api, ApiDeps } from '../deps.ts'
import { etagOf, isNotModified } from '../http/etag.ts'
import { paged } from '../http/paging.ts'
import { json, problems } from '../http/responses.ts'
import { deploymentSchema, deploymentSummarySchema } from '../schemas/deployment.ts'
import { inDeployment } from '../schemas/names.ts'
import { pageOf, pageQuery } from '../schemas/page.ts'
import { describe, summarize } from '../views/deployment.ts'

const list = createRoute({
  operationId: 'listDeployments',
  method: 'get',
  path: '/v1/deployments',
  tags: ['Deployments'],
  summary: 'List deployments',
  request: { query: pageQuery },
  responses: { 200: json(pageOf(deploymentSummarySchema), 'A page'), ...problems },
})
const get = createRoute({
  operationId: 'getDeployment',
  method: 'get',
  path: '/v1/deployments/{deployment}',
  tags: ['Deployments'],
  summary: 'One deployment with its machines and outputs',
  request: { params: inDeployment },
  responses: {
    200: json(deploymentSchema, 'The deployment'),
    304: { description: 'As the client has it (`If-None-Match`)' },
    ...problems,
  },
})

/** Newest deployments that an unknown name is compared with. */
const compared = 1000

/** Throws `not-found`, with the nearest name that there is. */
export async function findDeployment({ store }: ApiDeps, tenantId: string, name: string): Promise<DeploymentRecord> {
  const found = await store.deployments.getByName(tenantId, name)
  if (found) return found
  const known = (await store.deployments.list(tenantId, { limit: compared })).map((row) => row.name)
  const near = nearest(name, known)
  const message = `there is no deployment ${name}`
  throw new KitbagError('not-found', message, {
    fix: 'See kitbag list.',
    problems: [{ path: 'deployment', message, found: name, ...(near && { nearest: near }) }],
  })
}

export function addDeployments(api: Api, deps: ApiDeps): void {
  api.openapi(list, async (c) =>
    c.json(
      await paged(
        c.req.valid('query'),
        (page) => deps.store.deployments.list(c.var.tenantId, page),
        ({ id }) => id,
        (row) => summarize(deps, row),
      ),
      200,
    ),
  )
  api.openapi(get, async (c) => {
    const body = await describe(deps, await findDeployment(deps, c.var.tenantId, c.req.valid('param').deployment))
    const etag = etagOf(body)
    c.header('etag', etag)
    return isNotModified(c, etag) ? c.body(null, 304) : c.json(body, 200)
  })
}
