import { createRoute, z } from '@hono/zod-openapi'
import { checkHealth } from '../../lib/check-health.ts'
import type { ResolvedComponent } from '../../model/blueprint.ts'
import { KitbagError } from '../../model/errors.ts'
import type { MachineAccess } from '../../model/machine.ts'
import type { Reach } from '../../model/reach.ts'
import { expand } from '../../planner/expand.ts'
import type { HealthFinding, HealthStatus, ToolkitService } from '../../toolkit/contract.ts'
import type { Api, ApiDeps } from '../deps.ts'
import { paged } from '../http/paging.ts'
import { json, problems } from '../http/responses.ts'
import { pageOf, pageQuery } from '../schemas/page.ts'
import { sampleSchema, serviceEventSchema, serviceHealthSchema } from '../schemas/service.ts'
import { findService, readContext } from '../views/service.ts'
import { findDeployment } from './deployments.ts'
import { inService, serviceOperationId } from './toolkit-services.ts'

/** Health, events and figures of every kind of toolkit service, in one shape. */
export function addToolkitHealth(api: Api, deps: ApiDeps): void {
  for (const service of Object.values(deps.toolkit)) {
    mountHealth(api, deps, service)
    mountEvents(api, deps, service)
    mountMetrics(api, deps, service)
  }
}

/** Milliseconds that a machine without a health check has to answer. */
const patience = 5_000

function mountHealth(api: Api, deps: ApiDeps, toolkit: ToolkitService): void {
  const { kind, command } = toolkit
  const route = createRoute({
    operationId: serviceOperationId('get', toolkit, 'Health'),
    method: 'get',
    path: `/v1/deployments/{deployment}/${toolkit.path}/{service}/health`,
    tags: [toolkit.summary],
    summary: 'How it is now, as its machines say',
    request: { params: inService },
    responses: { 200: json(serviceHealthSchema, 'As it is now'), ...problems },
  })
  Object.assign(route, { 'x-kitbag-cli': [{ name: 'health', summary: 'Show how it is now', command, kind }] })
  api.openapi(route, async (c) => {
    const { deployment: name, service } = c.req.valid('param')
    const deployment = await findDeployment(deps, c.var.tenantId, name)
    const found = await findService(deps, deployment, kind, service)
    const context = await readContext(deps, deployment, found)
    const { components } = expand(found.release.spec, deps.toolkit, await deps.store.overrides.list(deployment.id))
    const component = components.find((one) => one.name === service)
    const nodes = await Promise.all(context.machines.map((node) => nodeHealth(deps.reach, node, component)))
    const more = (await toolkit.health?.(context).catch(unreachable(service))) ?? []
    return c.json({ status: overall(nodes, more), findings: [...nodes, ...more] }, 200)
  })
}

async function nodeHealth(
  reach: Reach,
  machine: MachineAccess,
  component: ResolvedComponent | undefined,
): Promise<HealthFinding> {
  const subject = machine.name
  const { health, port } = component ?? {}
  if (health && port !== undefined) {
    const { ok, detail } = await checkHealth(reach, { machine, port, health })
    return { subject, status: ok ? 'healthy' : 'down', message: detail }
  }
  try {
    await reach.exec(machine, 'true', { timeout: patience })
    return { subject, status: 'healthy', message: 'the machine answers' }
  } catch (error) {
    return { subject, status: 'down', message: (error as Error).message }
  }
}

/** When a service cannot be asked, that is what there is to say of it. */
function unreachable(subject: string) {
  return (error: unknown): HealthFinding[] => {
    if (!(error instanceof KitbagError) || error.code === 'internal') throw error
    return [{ subject, status: 'down', message: error.message }]
  }
}

/** One of several machines that is away degrades it; the rest is as bad as its worst part. */
function overall(nodes: HealthFinding[], findings: HealthFinding[]): HealthStatus {
  const down = ({ status }: HealthFinding) => status === 'down'
  if ((nodes.length > 0 && nodes.every(down)) || findings.some(down)) return 'down'
  return [...nodes, ...findings].some(({ status }) => status !== 'healthy') ? 'degraded' : 'healthy'
}

function mountEvents(api: Api, deps: ApiDeps, toolkit: ToolkitService): void {
  const { kind, command } = toolkit
  const route = createRoute({
    operationId: serviceOperationId('list', toolkit, 'Events'),
    method: 'get',
    path: `/v1/deployments/{deployment}/${toolkit.path}/{service}/events`,
    tags: [toolkit.summary],
    summary: 'What was done to it and what it decided by itself, newest first',
    request: { params: inService, query: pageQuery },
    responses: { 200: json(pageOf(serviceEventSchema), 'A page'), ...problems },
  })
  Object.assign(route, {
    'x-kitbag-cli': [{ name: 'events', summary: 'Show what was done and decided', command, kind }],
  })
  api.openapi(route, async (c) => {
    const { deployment: name, service } = c.req.valid('param')
    const deployment = await findDeployment(deps, c.var.tenantId, name)
    await findService(deps, deployment, kind, service)
    const page = await paged(
      c.req.valid('query'),
      (asked) => deps.store.serviceEvents.list(deployment.id, service, asked),
      ({ key }) => key,
      ({ at, operation, level, message, data }) => ({
        at: at.toISOString(),
        type: operation ? ('operation' as const) : ('decision' as const),
        level,
        message: operation ? [`${operation.kind} ${operation.status}`, message].filter(Boolean).join(': ') : message,
        ...(operation && { operation: operation.id }),
        data,
      }),
    )
    return c.json(page, 200)
  })
}

function mountMetrics(api: Api, deps: ApiDeps, toolkit: ToolkitService): void {
  const { kind, command, metrics } = toolkit
  if (!metrics) return
  const route = createRoute({
    operationId: serviceOperationId('get', toolkit, 'Metrics'),
    method: 'get',
    path: `/v1/deployments/{deployment}/${toolkit.path}/{service}/metrics`,
    tags: [toolkit.summary],
    summary: 'Figures that it knows of the components it serves, now',
    request: { params: inService },
    responses: { 200: json(z.object({ samples: z.array(sampleSchema) }), 'As it is now'), ...problems },
  })
  Object.assign(route, { 'x-kitbag-cli': [{ name: 'metrics', summary: 'Show its figures now', command, kind }] })
  api.openapi(route, async (c) => {
    const { deployment: name, service } = c.req.valid('param')
    const deployment = await findDeployment(deps, c.var.tenantId, name)
    const context = await readContext(deps, deployment, await findService(deps, deployment, kind, service))
    return c.json({ samples: await metrics.read(context) }, 200)
  })
}
