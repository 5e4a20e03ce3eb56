import type { DeploymentRecord } from '../db/store.ts'
import { KitbagError } from '../model/errors.ts'
import type { OperationKind, OperationRequest } from '../model/operation.ts'
import { expand } from '../planner/expand.ts'
import { loadPlanInput } from '../planner/load.ts'
import { plan } from '../planner/plan.ts'
import { refuseDataLoss } from '../planner/refuse-data-loss.ts'
import { canaryFor, theCanary } from './canary.ts'
import type { ApiDeps } from './deps.ts'
import { prepareRelease } from './release.ts'
import { unknownCloud } from './routes/clouds.ts'
import { findDeployment } from './routes/deployments.ts'
import { examine, refuseImport } from './routes/import-plan.ts'
import type { Submit } from './schemas/submit.ts'

/** What is to be stored: an operation of this kind. */
export interface Asked {
  deployment: DeploymentRecord
  kind: OperationKind
  request: OperationRequest
}

/** What a submission asks for, checked as far as that can be before its turn. Throws what refuses it. */
export function askedOf(deps: ApiDeps, tenantId: string, name: string, body: Submit): Promise<Asked> {
  if (body.kind === 'deploy') return deploy(deps, tenantId, name, body)
  if (body.kind === 'import') return importMachine(deps, tenantId, name, body)
  return other(deps, tenantId, name, body)
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
  if (own)
    throw new KitbagError('conflict', `${own.name} was not imported: it is deleted anyway`, {
      fix: 'Name imported machines alone; the others go with the deployment.',
    })
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
