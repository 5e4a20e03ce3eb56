import { createRoute, z } from '@hono/zod-openapi'
import { digestOf } from '../../lib/digest.ts'
import { cloudsOf, planCosts } from '../../planner/costs.ts'
import { loadPlanInput } from '../../planner/load.ts'
import { machinesToCreate, plan } from '../../planner/plan.ts'
import type { PlanInput } from '../../planner/plan-input.ts'
import type { Api, ApiDeps } from '../deps.ts'
import { json, jsonBody, problems } from '../http/responses.ts'
import { prepareRelease, validateBlueprint } from '../release.ts'
import { inDeployment } from '../schemas/names.ts'
import { type PlanBody, planSchema } from '../schemas/plan.ts'
import { type Description, describeSchema } from '../schemas/submit.ts'
import { unknownCloud } from './clouds.ts'

const planRoute = createRoute({
  operationId: 'planDeployment',
  method: 'post',
  path: '/v1/deployments/{deployment}/plan',
  tags: ['Deployments'],
  summary: 'What a deploy would change; changes nothing',
  request: { params: inDeployment, body: jsonBody(describeSchema) },
  responses: { 200: json(planSchema, 'The plan'), ...problems },
})
const validate = createRoute({
  operationId: 'validateBlueprint',
  method: 'post',
  path: '/v1/validate',
  tags: ['Deployments'],
  summary: 'Check a blueprint: every problem at once',
  request: { body: jsonBody(describeSchema) },
  responses: {
    200: json(z.object({ ok: z.literal(true), name: z.string(), secrets: z.array(z.string()) }), 'It is right'),
    ...problems,
  },
})

async function planInput(deps: ApiDeps, name: string, description: Description, tenantId: string): Promise<PlanInput> {
  const { store, toolkit } = deps
  const known = await store.deployments.getByName(tenantId, name)
  const cloud = description.cloud === undefined ? undefined : await store.clouds.getByName(tenantId, description.cloud)
  if (description.cloud !== undefined && !cloud) throw unknownCloud(description.cloud)
  const { spec } = await prepareRelease(deps, description, {
    tenantId,
    store: false,
    ...(known && { deploymentId: known.id }),
  })
  const latest = known && (await store.releases.latest(known.id))
  const number = latest?.digest === digestOf(spec) ? latest.number : (latest?.number ?? 0) + 1
  const release = { number, spec }
  if (known) {
    const input = await loadPlanInput(store, known.id, { kind: 'deploy', release }, toolkit)
    return { ...input, cloudId: input.cloudId ?? cloud?.id ?? null }
  }
  const clouds = await store.clouds.list(tenantId)
  return {
    deployment: name,
    kind: 'deploy',
    release,
    machines: [],
    overrides: {},
    migrated: {},
    clouds: Object.fromEntries(clouds.map((row) => [row.name, row.id])),
    cloudId: cloud?.id ?? null,
    toolkit,
    allowDataLoss: [],
  }
}

export function addPlan(api: Api, deps: ApiDeps): void {
  api.openapi(planRoute, async (c) => {
    const { tenantId } = c.var
    const input = await planInput(deps, c.req.valid('param').deployment, c.req.valid('json'), tenantId)
    const specs = await deps.resolveSpecs(machinesToCreate(input))
    const made = plan(input, specs)
    const costs = planCosts(made, input.machines, await deps.costs(cloudsOf(made, input.machines)))
    const imported = await deps.previews(input, made, tenantId)
    return c.json({ ...made, costs, imported } as unknown as PlanBody, 200)
  })
  api.openapi(validate, async (c) => {
    const { name, secrets } = await validateBlueprint(deps, c.req.valid('json'), c.var.tenantId)
    return c.json({ ok: true as const, name, secrets }, 200)
  })
}
