import { createRoute, z } from '@hono/zod-openapi'
import { KitbagError } from '../../model/errors.ts'
import type { Api, ApiDeps } from '../deps.ts'
import { paged } from '../http/paging.ts'
import { json, problems } from '../http/responses.ts'
import { inDeployment } from '../schemas/names.ts'
import { pageOf, pageQuery } from '../schemas/page.ts'
import { presentRelease, presentReleaseSummary, releaseSchema, releaseSummarySchema } from '../schemas/release.ts'
import { findDeployment } from './deployments.ts'

const list = createRoute({
  operationId: 'listReleases',
  method: 'get',
  path: '/v1/deployments/{deployment}/releases',
  tags: ['Releases'],
  summary: 'Releases, newest first',
  request: { params: inDeployment, query: pageQuery },
  responses: { 200: json(pageOf(releaseSummarySchema), 'A page'), ...problems },
})
const get = createRoute({
  operationId: 'getRelease',
  method: 'get',
  path: '/v1/deployments/{deployment}/releases/{number}',
  tags: ['Releases'],
  summary: 'One release',
  request: { params: inDeployment.extend({ number: z.coerce.number().int().min(1).max(2_147_483_647) }) },
  responses: { 200: json(releaseSchema, 'The release'), ...problems },
})

export function addReleases(api: Api, deps: ApiDeps): void {
  api.openapi(list, async (c) => {
    const { id, currentRelease } = await findDeployment(deps, c.var.tenantId, c.req.valid('param').deployment)
    return c.json(
      await paged(
        c.req.valid('query'),
        (page) => deps.store.releases.list(id, page),
        ({ number }) => number,
        (row) => presentReleaseSummary(row, currentRelease),
      ),
      200,
    )
  })
  api.openapi(get, async (c) => {
    const { deployment, number } = c.req.valid('param')
    const { id, currentRelease } = await findDeployment(deps, c.var.tenantId, deployment)
    const found = await deps.store.releases.get(id, number)
    if (!found)
      throw new KitbagError('not-found', `${deployment} has no release ${number}`, {
        fix: `See kitbag releases ${deployment}.`,
      })
    return c.json(presentRelease(found, currentRelease), 200)
  })
}
