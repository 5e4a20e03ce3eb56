import { createRoute, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { DeploymentRecord } from '../../db/store.ts'
import { KitbagError } from '../../model/errors.ts'
import type { Api, ApiDeps, ApiEnv } from '../deps.ts'
import { problems } from '../http/responses.ts'
import { contentSecurityPolicy, type DeploymentPage, deploymentPage, deploymentsPage } from '../page/deployment-page.ts'
import { inDeployment } from '../schemas/names.ts'
import { presentOperation } from '../schemas/operation.ts'
import { describe, summarize } from '../views/deployment.ts'
import { readContext } from '../views/service.ts'
import { findDeployment } from './deployments.ts'

const aPage = { 200: { description: 'A page', content: { 'text/html': { schema: z.string() } } }, ...problems }

const list = createRoute({
  operationId: 'showDeployments',
  method: 'get',
  path: '/',
  tags: ['Deployments'],
  summary: 'Every deployment, for people with a browser',
  responses: aPage,
})
const one = createRoute({
  operationId: 'showDeployment',
  method: 'get',
  path: '/deployments/{deployment}',
  tags: ['Deployments'],
  summary: 'Topology, health, golden signals, alerts and last operations, for people with a browser',
  request: { params: inDeployment },
  responses: aPage,
})

/** As many as a page shows. */
const mostDeployments = 200
const mostOperations = 10

/** Pages for people with a browser. They show and change nothing, so that no other site can make a browser do anything here. */
export function addPages(api: Api, deps: ApiDeps): void {
  const { store } = deps
  api.openapi(list, async (c) => {
    const rows = await store.deployments.list(c.var.tenantId, { limit: mostDeployments })
    return answer(c, deploymentsPage(await Promise.all(rows.map((row) => summarize(deps, row)))))
  })
  api.openapi(one, async (c) => {
    const { tenantId } = c.var
    const record = await findDeployment(deps, tenantId, c.req.valid('param').deployment)
    const [deployment, operations, views] = await Promise.all([
      describe(deps, record),
      store.operations.list(tenantId, { deployment: record.name }, { limit: mostOperations }),
      viewsOf(deps, record),
    ])
    return answer(c, deploymentPage({ deployment, operations: operations.map(presentOperation), views }))
  })
}

function answer(c: Context<ApiEnv>, page: Parameters<Context['html']>[0]) {
  c.header('content-security-policy', contentSecurityPolicy)
  c.header('x-content-type-options', 'nosniff')
  c.header('referrer-policy', 'no-referrer')
  c.header('cache-control', 'no-store')
  return c.html(page) as never
}

/** What each service that has something to show shows; one that is away is told as such, and hides nothing else. */
async function viewsOf(deps: ApiDeps, record: DeploymentRecord): Promise<DeploymentPage['views']> {
  const release =
    record.currentRelease === null ? undefined : await deps.store.releases.get(record.id, record.currentRelease)
  const services = release?.spec.blueprint.services ?? []
  const shown = services.map(async (service): Promise<DeploymentPage['views']> => {
    const { view } = deps.toolkit[service.kind] ?? {}
    if (!view || !release) return []
    try {
      const context = await readContext(deps, record, { service, release })
      return [{ name: service.name, view: await view(context), failure: undefined }]
    } catch (error) {
      if (!(error instanceof KitbagError)) throw error
      return [{ name: service.name, view: undefined, failure: error.message }]
    }
  })
  return (await Promise.all(shown)).flat()
}
