import { createRoute, z } from '@hono/zod-openapi'
import type { DeploymentRecord } from '../../db/store.ts'
import { unpackFiles } from '../../lib/archive/unpack.ts'
import type { JsonObject } from '../../model/json.ts'
import type { OperationRecord } from '../../model/operation.ts'
import { expand } from '../../planner/expand.ts'
import type { ToolkitRoute, ToolkitService } from '../../toolkit/contract.ts'
import type { Api, ApiDeps } from '../deps.ts'
import type { LargeBodies } from '../http/body.ts'
import { accepted, json, jsonBody, problems } from '../http/responses.ts'
import { type Once, onceHeaders, onceOf } from '../once.ts'
import { componentName, deploymentName } from '../schemas/names.ts'
import { operationSchema } from '../schemas/operation.ts'
import { type FoundService, findService, readContext } from '../views/service.ts'
import { findDeployment } from './deployments.ts'
import { accept } from './submit.ts'

/** Mounts every service's own routes: reads ask the running service, changes store overrides and push them. */
export function addToolkit(api: Api, deps: ApiDeps): void {
  for (const service of Object.values(deps.toolkit))
    for (const route of service.routes) mount(api, deps, service, route)
}

/** Routes of toolkit services that take more than others. */
export function largeBodies({ toolkit }: ApiDeps): LargeBodies {
  return Object.values(toolkit).flatMap((service) =>
    service.routes.flatMap((route) => {
      const path = new RegExp(`^${pathOf(service, route).replace(/\{\w+\}/g, '[^/]+')}$`)
      return route.bodyLimit === undefined ? [] : [{ path, limit: route.bodyLimit }]
    }),
  )
}

function pathOf(service: ToolkitService, route: ToolkitRoute): string {
  return `/v1/deployments/{deployment}/${service.path}/{service}${route.path}`
}

/** `loadBalancer` and `server.change` -> `loadBalancerServerChange` */
function operationIdOf({ kind }: ToolkitService, { id }: ToolkitRoute): string {
  return [kind, ...id.split('.').map((word) => word.charAt(0).toUpperCase() + word.slice(1))].join('')
}

function mount(api: Api, deps: ApiDeps, service: ToolkitService, route: ToolkitRoute): void {
  const own = [...route.path.matchAll(/\{(\w+)\}/g)].map((match) => [match[1] ?? '', z.string().max(255)] as const)
  const params = z.object({ deployment: deploymentName, service: componentName, ...Object.fromEntries(own) })
  const definition = createRoute({
    operationId: operationIdOf(service, route),
    method: route.method,
    path: pathOf(service, route),
    tags: [service.summary],
    summary: route.summary,
    request: {
      params,
      ...(route.query && { query: route.query }),
      ...(route.body && { body: jsonBody(route.body) }),
      ...(!isAnswered(route) && { headers: onceHeaders }),
    },
    responses: isAnswered(route)
      ? { 200: json(route.response, 'As it is now'), ...problems }
      : { 202: { ...json(operationSchema, 'The operation that brings it into force'), ...accepted }, ...problems },
  })
  const commands = (route.cli ?? []).map((cli) => ({
    ...cli,
    command: cli.command ?? service.command,
    kind: service.kind,
  }))
  if (commands.length > 0) Object.assign(definition, { 'x-kitbag-cli': commands })
  api.openapi(definition, async (c) => {
    const params = c.req.valid('param') as Record<string, string>
    const { deployment: name, service: instance, ...rest } = params
    const body = route.body ? (c.req.valid('json' as never) as JsonObject) : {}
    const once = isAnswered(route)
      ? undefined
      : await onceOf(deps, c, { [operationIdOf(service, route)]: params, body })
    if (once?.known) return accept(c, once.known) as never
    const deployment = await findDeployment(deps, c.var.tenantId, name ?? '')
    const found = await findService(deps, deployment, service.kind, instance ?? '')
    if (!once) {
      const context = await readContext(deps, deployment, found)
      const query = route.query ? (c.req.valid('query' as never) as JsonObject) : {}
      const answer = route.read ? route.read(context, rest, query) : route.call?.(context, rest, body)
      return c.json(await answer, 200) as never
    }
    return accept(c, await change(deps, deployment, found, route, { params: rest, body, once })) as never
  })
}

/** Whether the running service gives the answer, rather than an operation. */
function isAnswered({ read, call }: ToolkitRoute): boolean {
  return read !== undefined || call !== undefined
}

async function change(
  deps: ApiDeps,
  deployment: DeploymentRecord,
  { service, release }: FoundService,
  route: ToolkitRoute,
  { params, body, once }: { params: Record<string, string>; body: JsonObject; once: Once },
): Promise<OperationRecord> {
  const { store, toolkit } = deps
  const { tenantId } = deployment
  const refresh = await route.act?.(await readContext(deps, deployment, { service, release }), params, body)
  await route.check?.(body, (digest) => unpackFiles(store.blobs.read(tenantId, digest)))
  let changes: Record<string, JsonObject | null> | undefined
  if (route.change) {
    const all = await store.overrides.list(deployment.id)
    const { components } = expand(release.spec, toolkit, all)
    const overrides = all[service.name] ?? {}
    changes = route.change({ spec: service.spec, params, body, overrides, components })
  }
  const { operation } = await store.operations.submit({
    tenantId,
    deploymentId: deployment.id,
    deployment: deployment.name,
    kind: 'push',
    request: { service: service.name, ...(refresh !== undefined && { refresh }) },
    ...(changes && { overrides: { scope: service.name, changes } }),
    ...once.as,
  })
  return operation
}
