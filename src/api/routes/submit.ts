import { createRoute } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { DeploymentRecord } from '../../db/store.ts'
import { KitbagError } from '../../model/errors.ts'
import { canonicalJson } from '../../model/json.ts'
import { isFinal, type OperationKind, type OperationRecord, type OperationRequest } from '../../model/operation.ts'
import { expand } from '../../planner/expand.ts'
import { loadPlanInput } from '../../planner/load.ts'
import { plan } from '../../planner/plan.ts'
import { refuseDataLoss } from '../../planner/refuse-data-loss.ts'
import { canaryFor, theCanary } from '../canary.ts'
import type { Api, ApiDeps, ApiEnv } from '../deps.ts'
import { etagOf, requireMatch } from '../http/etag.ts'
import { accepted, json, jsonBody, problems } from '../http/responses.ts'
import { onceHeaders, onceOf } from '../once.ts'
import { prepareRelease } from '../release.ts'
import { inDeployment } from '../schemas/names.ts'
import { operationSchema, presentOperation } from '../schemas/operation.ts'
import { type Submit, submitSchema } from '../schemas/submit.ts'
import { describe } from '../views/deployment.ts'
import { unknownCloud } from './clouds.ts'
import { findDeployment } from './deployments.ts'
import { examine, refuseImport } from './import-plan.ts'

const submit = createRoute({
  operationId: 'submitOperation',
  method: 'post',
  path: '/v1/deployments/{deployment}/operations',
  tags: ['Operations'],
  summary: 'Deploy, roll back, scale, heal, check, import, forget or destroy',
  description: 'Answers at once with the operation. The same `Idempotency-Key` gives the same operation.',
  request: {
    params: inDeployment,
    body: jsonBody(submitSchema),
    headers: onceHeaders,
  },
  responses: { 202: { ...json(operationSchema, 'Submitted'), ...accepted }, ...problems },
})

interface Asked {
  deployment: DeploymentRecord
  kind: OperationKind
  request: OperationRequest
}

async function deploy(
  deps: ApiDeps,
  tenantId: string,
  name: string,
  body: Extract<Submit, { kind: 'deploy' }>,
): Promise<Asked> {
  const { store } = deps
  const cloud = body.cloud === undefined ? undefined : await store.clouds.getByName(tenantId, body.cloud)
  if (body.cloud !== undefined && !cloud) throw unknownCloud(body.cloud)
  const known = await store.deployments.getByName(tenantId, name)
  // Everything is checked before anything is stored: a refused blueprint leaves no deployment behind.
  await prepareRelease(deps, body, { tenantId, store: false, ...(known && { deploymentId: known.id }) })
  const deployment = await store.deployments.ensure(tenantId, name, cloud?.id)
  const { spec } = await prepareRelease(deps, body, { tenantId, store: true, deploymentId: deployment.id })
  const withoutCloud = expand(spec, deps.toolkit, {}).components.some(({ placement }) => placement.cloud === undefined)
  if (deployment.cloudId === null && withoutCloud)
    throw new KitbagError('invalid-request', `${name} has no cloud yet`, {
      fix: 'Name one: --cloud NAME (see kitbag cloud list).',
    })
  const release = await store.releases.ensure(deployment.id, spec)
  const { plan: digest, allowDataLoss, keepFailed } = body
  const canary = body.canary && (await canaryFor(deps, deployment, spec, body.canary))
  return {
    deployment,
    kind: 'deploy',
    request: {
      release: release.number,
      ...(digest && { plan: digest }),
      ...(allowDataLoss.length > 0 && { allowDataLoss }),
      ...(keepFailed && { keepFailed }),
      ...(canary && { canary }),
    },
  }
}

async function importMachine(
  deps: ApiDeps,
  tenantId: string,
  name: string,
  body: Extract<Submit, { kind: 'import' }>,
): Promise<Asked> {
  const examined = await examine(deps, tenantId, name, body)
  refuseImport(examined)
  const { machine } = examined
  if (!machine) throw new KitbagError('internal', `${name}: nothing speaks against the machine, and it is not there`)
  const known = await deps.store.deployments.getByName(tenantId, name)
  const deployment = known ?? (await deps.store.deployments.ensure(tenantId, name, machine.cloud))
  return { deployment, kind: 'import', request: { import: machine } }
}

async function other(
  deps: ApiDeps,
  tenantId: string,
  name: string,
  body: Exclude<Submit, { kind: 'deploy' | 'import' }>,
): Promise<Asked> {
  const deployment = await findDeployment(deps, tenantId, name)
  const { kind } = body
  if (kind === 'check') return { deployment, kind, request: {} }
  if (kind === 'promote')
    return { deployment, kind: 'deploy', request: { release: (await theCanary(deps, deployment)).release } }
  if (kind === 'abort') {
    await theCanary(deps, deployment)
    return { deployment, kind: 'rollback', request: { release: deployment.currentRelease ?? 1 } }
  }
  const loss = body.allowDataLoss.length > 0 && { allowDataLoss: body.allowDataLoss }
  if (kind === 'destroy') {
    await refuseToLoseData(deps, deployment, body.allowDataLoss)
    const { deleteImported } = body
    if (deleteImported) await refuseUnlessImported(deps, deployment, deleteImported)
    return { deployment, kind, request: { ...loss, ...(deleteImported && { deleteImported }) } }
  }
  if (kind === 'forget') {
    const { machines } = body
    if (machines) await machineIds(deps, deployment, machines)
    return { deployment, kind, request: { ...(machines && { machines }), ...loss } }
  }
  if (kind === 'heal')
    return { deployment, kind, request: { lost: await machineIds(deps, deployment, body.machines), ...loss } }
  if (kind === 'scale') {
    await refuseBesideAutoscaler(deps, deployment, Object.keys(body.scale))
    return { deployment, kind, request: { scale: body.scale, ...loss } }
  }
  const release = body.release ?? (deployment.currentRelease ?? 1) - 1
  if (release < 1 || !(await deps.store.releases.get(deployment.id, release))) {
    const missing = body.release === undefined ? 'no release before the one in force' : `no release ${release}`
    throw new KitbagError('not-found', `${name} has ${missing}`, { fix: `See kitbag releases ${name}.` })
  }
  return { deployment, kind, request: { release, ...(body.plan && { plan: body.plan }), ...loss } }
}

/** Whoever sets a size by hand would see it changed at the next look. Throws `conflict`, unless the autoscaler is paused. */
async function refuseBesideAutoscaler(
  { store }: ApiDeps,
  { id, name, currentRelease }: DeploymentRecord,
  components: string[],
): Promise<void> {
  const release = currentRelease === null ? undefined : await store.releases.get(id, currentRelease)
  const policies = release?.spec.blueprint.services.filter(({ kind }) => kind === 'autoscaler') ?? []
  const found = policies.find(({ spec }) => components.includes(String(spec.component)))
  if (!found || (await store.overrides.list(id))[found.name]?.pause) return
  throw new KitbagError('conflict', `${found.spec.component} is scaled by ${found.name}, between min and max`, {
    fix: `Change min and max in the blueprint, or pause it first: kitbag autoscaler pause ${name} --service ${found.name}`,
  })
}

/** Throws `not-found` naming the machines that there are. */
async function machineIds({ store }: ApiDeps, { id, name }: DeploymentRecord, names: string[]): Promise<string[]> {
  const rows = await store.machines.list(id)
  return names.map((wanted) => {
    const found = rows.find((row) => row.name === wanted)
    if (found) return found.id
    const known = rows.map((row) => row.name).join(', ') || 'none'
    throw new KitbagError('not-found', `${name} has no machine ${wanted}; it has: ${known}`)
  })
}

/** Throws `not-found`, `conflict` for what is not there, or made by Kitbag and so deleted anyway. */
async function refuseUnlessImported(deps: ApiDeps, deployment: DeploymentRecord, names: string[]): Promise<void> {
  await machineIds(deps, deployment, names)
  const rows = await deps.store.machines.list(deployment.id)
  const own = rows.find(({ name, imported }) => names.includes(name) && !imported)
  if (own) throw new KitbagError('conflict', `${own.name} was not imported: it is deleted anyway`)
}

/** Said at once rather than by the operation, which looks again at its turn. Throws `data-loss-refused`. */
async function refuseToLoseData(
  { store, toolkit }: ApiDeps,
  { id }: DeploymentRecord,
  allowDataLoss: string[],
): Promise<void> {
  const input = await loadPlanInput(store, id, { kind: 'destroy', allowDataLoss }, toolkit)
  refuseDataLoss(plan(input, new Map()))
}

export function addSubmit(api: Api, deps: ApiDeps): void {
  api.openapi(submit, async (c) => {
    const name = c.req.valid('param').deployment
    const body = c.req.valid('json')
    return accept(c, await submitOnce(deps, c, name, { name, body }, async () => body))
  })
}

/**
 * Submits what a request asks for; with an `Idempotency-Key` that is known, gives the operation of before. `asked` is what the key stands
 * for; `make` gives the body. Throws `precondition-failed` for an `If-Match` of another version.
 */
export async function submitOnce(
  deps: ApiDeps,
  c: Context<ApiEnv>,
  name: string,
  asked: unknown,
  make: () => Promise<Submit>,
): Promise<OperationRecord> {
  const { store } = deps
  const { tenantId } = c.var
  const once = await onceOf(deps, c, asked)
  if (once.known) return once.known
  const existing = await store.deployments.getByName(tenantId, name)
  if (existing && c.req.header('if-match') !== undefined) requireMatch(c, etagOf(await describe(deps, existing)))
  const body = await make()
  const { deployment, kind, request } =
    body.kind === 'deploy'
      ? await deploy(deps, tenantId, name, body)
      : body.kind === 'import'
        ? await importMachine(deps, tenantId, name, body)
        : await other(deps, tenantId, name, body)
  const open = body.attach ? await openTwin(deps, tenantId, name, kind, request) : undefined
  if (open) return open
  const { operation } = await store.operations.submit({
    tenantId,
    deploymentId: deployment.id,
    deployment: name,
    kind,
    request,
    onConflict: body.onConflict,
    ...once.as,
  })
  return operation
}

/** The answer 202 with where the operation is. */
export function accept(c: Context<ApiEnv>, operation: OperationRecord) {
  c.header('location', `/v1/operations/${operation.id}`)
  return c.json(presentOperation(operation), 202)
}

/** The open operation that asks for the very same: a client that was cut off comes back to it. */
async function openTwin(
  { store }: ApiDeps,
  tenantId: string,
  deployment: string,
  kind: OperationKind,
  request: OperationRequest,
) {
  const open = await store.operations.list(tenantId, { deployment, status: ['queued', 'running'] }, { limit: 50 })
  return open.find(
    (row) => !isFinal(row.status) && row.kind === kind && canonicalJson(row.request) === canonicalJson(request),
  )
}
