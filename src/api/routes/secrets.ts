import { createRoute, z } from '@hono/zod-openapi'
import type { DeploymentRecord } from '../../db/store.ts'
import { KitbagError } from '../../model/errors.ts'
import type { Api, ApiDeps } from '../deps.ts'
import { pagedWhole } from '../http/paging.ts'
import { json, jsonBody, problems } from '../http/responses.ts'
import { inDeployment, secretName } from '../schemas/names.ts'
import { pageOf, pageQuery } from '../schemas/page.ts'
import { secretSchema, secretValueSchema } from '../schemas/secret.ts'
import { findDeployment } from './deployments.ts'

const tags = ['Secrets']
const params = inDeployment.extend({ secret: secretName })
const put = createRoute({
  operationId: 'setSecret',
  method: 'put',
  path: '/v1/deployments/{deployment}/secrets/{secret}',
  tags,
  summary: 'Set a secret; the next deploy uses it',
  request: { params, body: jsonBody(secretValueSchema) },
  responses: { 200: json(z.object({ name: secretName, version: z.int() }), 'Set'), ...problems },
})
const list = createRoute({
  operationId: 'listSecrets',
  method: 'get',
  path: '/v1/deployments/{deployment}/secrets',
  tags,
  summary: 'Names and versions; never values',
  request: { params: inDeployment, query: pageQuery },
  responses: { 200: json(pageOf(secretSchema), 'A page'), ...problems },
})
const remove = createRoute({
  operationId: 'removeSecret',
  method: 'delete',
  path: '/v1/deployments/{deployment}/secrets/{secret}',
  tags,
  summary: 'Remove a secret with all its versions',
  request: { params },
  responses: { 204: { description: 'Removed' }, ...problems },
})

/** What runs reads it at its next change: without the value it could be neither configured nor rolled back. Throws `conflict`. */
async function refuseInUse({ store }: ApiDeps, deployment: DeploymentRecord, secret: string): Promise<void> {
  const { id, name, currentRelease } = deployment
  const release = currentRelease === null ? undefined : await store.releases.get(id, currentRelease)
  if (!release || !Object.hasOwn(release.spec.secretVersions, secret)) return
  throw new KitbagError('conflict', `${secret} is in use by release ${currentRelease} of ${name}`, {
    fix: 'Deploy a blueprint that does not name it, then remove it.',
  })
}

export function addSecrets(api: Api, deps: ApiDeps): void {
  const { store } = deps
  api.openapi(put, async (c) => {
    const { deployment, secret } = c.req.valid('param')
    // A secret may be set before the first deploy.
    const { id } = await store.deployments.ensure(c.var.tenantId, deployment)
    return c.json({ name: secret, version: await store.secrets.set(id, secret, c.req.valid('json').value) }, 200)
  })
  api.openapi(list, async (c) => {
    const { id } = await findDeployment(deps, c.var.tenantId, c.req.valid('param').deployment)
    const present = ({ name, version, createdAt }: { name: string; version: number; createdAt: Date }) => ({
      name,
      version,
      createdAt: createdAt.toISOString(),
    })
    return c.json(
      await pagedWhole(c.req.valid('query'), await store.secrets.list(id), ({ name }) => name, present),
      200,
    )
  })
  api.openapi(remove, async (c) => {
    const { deployment, secret } = c.req.valid('param')
    const found = await findDeployment(deps, c.var.tenantId, deployment)
    await refuseInUse(deps, found, secret)
    if (!(await store.secrets.remove(found.id, secret)))
      throw new KitbagError('not-found', `${deployment} has no secret ${secret}`, {
        fix: `See kitbag secret list ${deployment}.`,
      })
    return c.body(null, 204)
  })
}
