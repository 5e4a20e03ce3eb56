import { createRoute, z } from '@hono/zod-openapi'
import { withSection } from '../../blueprints/edit-section.ts'
import { KitbagError } from '../../model/errors.ts'
import type { JsonObject } from '../../model/json.ts'
import type { ReleaseRecord } from '../../model/release.ts'
import type { ToolkitService } from '../../toolkit/contract.ts'
import type { Api, ApiDeps } from '../deps.ts'
import { pagedWhole } from '../http/paging.ts'
import { accepted, json, jsonBody, problems } from '../http/responses.ts'
import { onceHeaders } from '../once.ts'
import { componentName, inDeployment } from '../schemas/names.ts'
import { operationSchema } from '../schemas/operation.ts'
import { pageOf, pageQuery } from '../schemas/page.ts'
import { sectionSchema, serviceSchema } from '../schemas/service.ts'
import { type Submit, submitSchema } from '../schemas/submit.ts'
import { findService, presentService, servicesOf } from '../views/service.ts'
import { findDeployment } from './deployments.ts'
import { accept, submitOnce } from './submit.ts'

/** Every kind of toolkit service has the same routes: what there is, and changes of the blueprint's section, each a deploy. */
export function addToolkitServices(api: Api, deps: ApiDeps): void {
  for (const service of Object.values(deps.toolkit)) mount(api, deps, service)
}

export const inService = inDeployment.extend({ service: componentName })

/** `loadBalancer`, `get` -> `getLoadBalancerService` */
export function serviceOperationId(verb: string, { kind }: ToolkitService, what = 'Service'): string {
  return `${verb}${kind.charAt(0).toUpperCase()}${kind.slice(1)}${what}`
}

function mount(api: Api, deps: ApiDeps, toolkit: ToolkitService): void {
  const { kind, command, nameOf } = toolkit
  const path = `/v1/deployments/{deployment}/${toolkit.path}`
  const tags = [toolkit.summary]
  const submitted = {
    202: { ...json(operationSchema, 'The deploy that brings it into force'), ...accepted },
    ...problems,
  }
  const list = createRoute({
    operationId: serviceOperationId('list', toolkit, 'Services'),
    method: 'get',
    path,
    tags,
    summary: 'Services of this kind',
    request: { params: inDeployment, query: pageQuery },
    responses: { 200: json(pageOf(serviceSchema), 'A page'), ...problems },
  })
  const get = createRoute({
    operationId: serviceOperationId('get', toolkit),
    method: 'get',
    path: `${path}/{service}`,
    tags,
    summary: 'One service with its section and its machines',
    request: { params: inService },
    responses: { 200: json(serviceSchema, 'The service'), ...problems },
  })
  Object.assign(get, { 'x-kitbag-cli': [{ name: 'service', summary: 'Show its section and machines', command, kind }] })
  const put = createRoute({
    operationId: serviceOperationId('put', toolkit),
    method: 'put',
    path: `${path}/{service}`,
    tags,
    summary: 'Make a service, or change its section',
    description:
      "Changes the section in the blueprint of the release in force and deploys that. A later deploy of a blueprint from elsewhere has that one's sections: `GET /v1/deployments/{deployment}/releases/{number}` gives the text to take over.",
    request: { params: inService, body: jsonBody(sectionSchema), headers: onceHeaders },
    responses: submitted,
  })
  const remove = createRoute({
    operationId: serviceOperationId('delete', toolkit),
    method: 'delete',
    path: `${path}/{service}`,
    tags,
    summary: 'Take a service out of the blueprint, with its machines',
    request: { params: inService, headers: onceHeaders },
    responses: submitted,
  })

  api.openapi(list, async (c) => {
    const deployment = await findDeployment(deps, c.var.tenantId, c.req.valid('param').deployment)
    const { release, services } = await servicesOf(deps, deployment, kind)
    const shown = await Promise.all(services.map((service) => presentService(deps, deployment, { service, release })))
    return c.json(
      await pagedWhole(
        c.req.valid('query'),
        shown,
        ({ name }) => name,
        (row) => row,
      ),
      200,
    )
  })
  api.openapi(get, async (c) => {
    const { deployment: name, service } = c.req.valid('param')
    const deployment = await findDeployment(deps, c.var.tenantId, name)
    return c.json(await presentService(deps, deployment, await findService(deps, deployment, kind, service)), 200)
  })
  api.openapi(put, async (c) => {
    const { deployment: name, service } = c.req.valid('param')
    const section = c.req.valid('json').section as JsonObject
    const make = async () => {
      const { release } = await servicesOf(deps, await findDeployment(deps, c.var.tenantId, name), kind)
      return deployOf(release, withSection(release.spec.text, { kind, name: service, nameOf }, section))
    }
    return accept(c, await submitOnce(deps, c, name, { put: [name, kind, service, section] }, make))
  })
  api.openapi(remove, async (c) => {
    const { deployment: name, service } = c.req.valid('param')
    const make = async () => {
      const deployment = await findDeployment(deps, c.var.tenantId, name)
      const { release } = await findService(deps, deployment, kind, service)
      return deployOf(release, withSection(release.spec.text, { kind, name: service, nameOf }, null))
    }
    return accept(c, await submitOnce(deps, c, name, { delete: [name, kind, service] }, make))
  })
}

/** The release with another blueprint. While another operation is open it is refused: the other may be changing the same text. */
function deployOf({ spec }: ReleaseRecord, text: string): Submit {
  const recipes = Object.entries(spec.recipes).filter(([name]) => name.startsWith('./'))
  const body = {
    kind: 'deploy',
    blueprint: { text },
    parameters: spec.blueprint.parameters,
    sources: spec.sources,
    recipes: Object.fromEntries(recipes.map(([name, { archive }]) => [name, archive])),
    onConflict: 'refuse',
  }
  const { data, error } = submitSchema.safeParse(body)
  if (error) throw new KitbagError('internal', `the release in force is no deploy any more: ${z.prettifyError(error)}`)
  return data
}
