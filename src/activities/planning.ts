import type { DeploymentRecord } from '../db/store.ts'
import { nearest } from '../lib/nearest.ts'
import { KitbagError, type Problem } from '../model/errors.ts'
import { type MachineRecord, machineIdOf } from '../model/machine.ts'
import type { OperationRecord, UnitStage } from '../model/operation.ts'
import type { Plan } from '../model/plan.ts'
import { canaryIn, refuseMore, secondCanary } from '../planner/canary.ts'
import { loadPlanInput, type PlanRequest } from '../planner/load.ts'
import { machinesToCreate, plan } from '../planner/plan.ts'
import type { ActivityDeps } from './deps.ts'
import { ensureValues } from './make-values.ts'
import { overridesFor } from './overrides-for.ts'
import { releaseOf } from './release-of.ts'
import { createResolveSpecs } from './resolve-specs.ts'
import { ensureServerAuthority } from './server-certificates.ts'

/** Plans what an operation asks for, or (stage `undo`) the way back to the release in force, against what is now. Throws what refuses it. */
export async function planFor(deps: ActivityDeps, operation: OperationRecord, stage: UnitStage): Promise<Plan> {
  const { store, toolkit } = deps
  const deployment = await store.deployments.get(operation.deploymentId)
  if (!deployment) {
    throw new KitbagError(
      'not-found',
      `deployment ${operation.deployment} was destroyed before this operation’s turn`,
      {
        fix: 'Deploy it again.',
      },
    )
  }
  const request =
    stage === 'main' ? await mainRequest(deps, operation, deployment) : await undoRequest(deps, operation, deployment)
  if (typeof request.release === 'number') {
    const release = await releaseOf(store, deployment.id, request.release)
    await ensureServerAuthority(deps, deployment, release.spec)
    await ensureValues(deps, deployment, release.spec, request.kind === 'deploy' ? { retry: true } : {})
  }
  const overrides = await overridesFor({ store, operation, deployment, stage })
  const loaded = await loadPlanInput(store, deployment.id, { ...request, overrides }, toolkit)
  const held = await heldBack(deps, operation, stage, loaded.machines)
  const beside = operation.kind === 'push' && (await isBesideAnother(deps, operation))
  const leaving = stage === 'undo' ? await releaseUndone(deps, operation) : undefined
  const machines = withLost(loaded.machines, operation.request.lost)
  const input = { ...loaded, machines, held, beside, ...(leaving && { leaving }) }
  const specs = await createResolveSpecs(deps)(machinesToCreate(input))
  const made = plan(input, specs)
  if (stage === 'main' && operation.request.canary) refuseMore(made, operation.request.canary)
  return made
}

async function releaseUndone({ store }: ActivityDeps, { id, deploymentId }: OperationRecord) {
  const number = (await store.operations.plan(id, 'main'))?.release
  return number === undefined ? undefined : releaseOf(store, deploymentId, number)
}

/** Whether an operation that changes machines is under way at the same deployment. */
async function isBesideAnother({ store }: ActivityDeps, { deploymentId }: OperationRecord): Promise<boolean> {
  const running = await store.operations.running()
  return running.some((other) => other.deploymentId === deploymentId && other.kind !== 'push')
}

/**
 * Machines that stay as they are. A canary leaves the others of its component alone; while it is in force, everything but a deploy or a
 * rollback leaves its own alone. Throws `conflict` for a second one.
 */
async function heldBack(
  { store }: ActivityDeps,
  { deploymentId, kind, request: { canary } }: OperationRecord,
  stage: UnitStage,
  machines: MachineRecord[],
): Promise<string[]> {
  const inForce = canaryIn(await store.overrides.list(deploymentId))
  if (stage === 'undo' || (kind !== 'deploy' && kind !== 'rollback')) return inForce?.machines ?? []
  if (!canary) return []
  if (inForce) throw secondCanary(inForce)
  const own = machines.filter(({ component }) => component === canary.component).map(({ name }) => name)
  const gone = canary.machines.filter((name) => !own.includes(name))
  if (gone.length > 0) throw new KitbagError('conflict', `${gone.join(', ')} was to have the canary, and is gone since`)
  return own.filter((name) => !canary.machines.includes(name))
}

async function mainRequest(
  { store }: ActivityDeps,
  { kind, request }: OperationRecord,
  deployment: DeploymentRecord,
): Promise<PlanRequest> {
  const loss = request.allowDataLoss ? { allowDataLoss: request.allowDataLoss } : {}
  switch (kind) {
    case 'destroy':
      return { kind, ...loss, ...(request.deleteImported && { deleteImported: request.deleteImported }) }
    case 'import':
      if (!request.import) throw new KitbagError('invalid-request', 'an import without a machine')
      return { kind, import: request.import }
    case 'forget': {
      if (!request.machines) return { kind }
      const { currentRelease: release } = deployment
      return { kind, forget: request.machines, ...loss, ...(release !== null && { release }) }
    }
    case 'deploy':
    case 'rollback':
      if (request.release === undefined) throw new KitbagError('invalid-request', `a ${kind} without a release`)
      return { kind, release: request.release, ...loss }
    case 'scale': {
      const release = inForce(deployment, kind)
      const { spec } = await releaseOf(store, deployment.id, release)
      refuseUnknown(
        Object.keys(request.scale ?? {}),
        spec.blueprint.components.map(({ name }) => name),
      )
      return { kind, release, ...loss }
    }
    case 'heal':
      return { kind, release: inForce(deployment, kind), ...loss }
    case 'check':
      return { kind, release: inForce(deployment, kind) }
    case 'push':
      return { kind, release: inForce(deployment, kind), ...(request.service && { service: request.service }) }
  }
}

/**
 * Machines as they are, those that the operation is about as lost, with everything that shares them. One that is gone since, or being
 * removed, is left out of it.
 */
function withLost(machines: MachineRecord[], lost: string[] = []): MachineRecord[] {
  const ids = new Set(machines.filter(({ id }) => lost.includes(id)).map(machineIdOf))
  return machines.map((machine) =>
    ids.has(machineIdOf(machine)) && machine.status !== 'destroying'
      ? { ...machine, status: 'lost' as const }
      : machine,
  )
}

/** From here on nobody is told of them. */
export async function markLost({ store }: ActivityDeps, { deploymentId, request }: OperationRecord): Promise<void> {
  if (!request.lost) return
  const before = await store.machines.list(deploymentId)
  const after = withLost(before, request.lost)
  for (const [i, { id, status }] of after.entries())
    if (status !== before[i]?.status) await store.machines.update(id, { status })
}

async function undoRequest(
  { store }: ActivityDeps,
  { request }: OperationRecord,
  { id, currentRelease }: DeploymentRecord,
): Promise<PlanRequest> {
  if (request.import) {
    const { providerId } = request.import
    const rows = await store.machines.list(id)
    const forget = rows.flatMap((row) => (row.status === 'imported' && row.providerId === providerId ? [row.name] : []))
    return { kind: 'forget', forget }
  }
  return { kind: 'undo', ...(currentRelease !== null && { release: currentRelease }) }
}

function inForce({ name, currentRelease }: DeploymentRecord, kind: string): number {
  if (currentRelease !== null) return currentRelease
  throw new KitbagError('conflict', `${name} has no release in force, so there is nothing to ${kind}`, {
    fix: 'Deploy it first.',
  })
}

function refuseUnknown(components: string[], known: string[]): void {
  const problems = components
    .filter((name) => !known.includes(name))
    .map((found): Problem => {
      const near = nearest(found, known)
      return {
        path: `scale.${found}`,
        message: 'no such component',
        found,
        allowed: known,
        ...(near && { nearest: near }),
      }
    })
  if (problems.length === 0) return
  const [first] = problems
  const message = `there is no component ${first?.found}; known: ${known.join(', ')}`
  throw new KitbagError('invalid-request', message, { problems })
}
