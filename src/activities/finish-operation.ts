import type { DeploymentRecord } from '../db/store.ts'
import type { ErrorRecord } from '../model/errors.ts'
import {
  endsDeployment,
  isFinal,
  type OperationRecord,
  type OperationResult,
  type UnitRecord,
} from '../model/operation.ts'
import { isUnderWay } from '../planner/firewall-units.ts'
import { awaitValues } from './await-values.ts'
import type { ActivityDeps } from './deps.ts'
import { driftOf } from './drift.ts'
import { followPush } from './follow-push.ts'
import { heartbeating } from './heartbeat.ts'
import { outputsOf } from './outputs.ts'
import { canaryChanges, scaleChanges } from './overrides-for.ts'
import { forgetPlans } from './plan-of.ts'
import { settleClouds } from './secure-clouds.ts'

export type Ending = 'succeeded' | 'failed' | 'cancelled'

/**
 * Brings what an operation reached into force and ends its row. Every step may be repeated; the row comes last.
 * @param problems what the undo met beside its units
 */
export function finishOperation(
  deps: ActivityDeps,
  operationId: string,
  ending: Ending,
  problems: ErrorRecord[],
): Promise<void> {
  return heartbeating(async (signal) => {
    const { store } = deps
    forgetPlans(operationId)
    const operation = await store.operations.get(operationId)
    if (!operation || isFinal(operation.status)) return
    const units = await tidy(deps, operation)
    const behind = ending === 'failed' ? behindOf(operation, units) : []
    const refused =
      ending === 'succeeded' && endsDeployment(operation) ? await letGo(deps, operation, signal) : undefined
    if (refused) {
      const error = { ...refused, message: `${refused.message}; what is left goes by asking again` }
      await store.operations.finish(operationId, { status: 'failed', result: resultOfUndo(units, problems), error })
      return
    }
    if (ending === 'succeeded' || behind.length > 0) {
      const result = await succeed(deps, operation, units, signal)
      behind.push(...(await firewallsBehind(deps, operation)))
      await store.operations.finish(operationId, {
        status: 'succeeded',
        result: { ...result, ...(behind.length > 0 && { behind }) },
      })
      return
    }
    await settleClouds(deps, operation, signal)
    const deployment = await store.deployments.get(operation.deploymentId)
    const result = resultOfUndo(units, problems)
    const error = errorOf(operation, ending, units, deployment, result)
    await store.operations.finish(operationId, { status: ending, result, error })
  })
}

/**
 * What a push brought into force holds although some machines could not be reached: their turn comes when they are back, and what each
 * of them last took is not noted any more. Empty: it failed otherwise, or nobody took it.
 */
function behindOf({ kind }: OperationRecord, units: UnitRecord[]): NonNullable<OperationResult['behind']> {
  const failed = units.filter(({ status }) => status !== 'done')
  const unreachable = failed.flatMap(({ machine, error }) =>
    error?.code === 'machine-unreachable' ? [{ machine, message: error.message }] : [],
  )
  return kind === 'push' && failed.length < units.length && unreachable.length === failed.length ? unreachable : []
}

/** Machines that were away when who may come to them changed: `levelFirewalls` brings them level. */
async function firewallsBehind(
  { store }: ActivityDeps,
  { id, kind, deploymentId }: OperationRecord,
): Promise<NonNullable<OperationResult['behind']>> {
  if (kind === 'check' || kind === 'destroy') return []
  const plan = await store.operations.plan(id, 'main')
  const changed = new Set(plan?.units.filter(({ only }) => only === 'firewall').map(({ machine }) => machine))
  const machines = changed.size > 0 ? await store.machines.list(deploymentId) : []
  return machines
    .filter((machine) => changed.has(machine.name) && isUnderWay(machine))
    .map(({ name }) => ({ machine: name, message: 'it does not answer; its firewall is changed when it does' }))
}

/** Units whose worker died while they were being cancelled have nobody left to say how they ended. */
async function tidy({ store }: ActivityDeps, operation: OperationRecord): Promise<UnitRecord[]> {
  const units = await store.operations.units(operation.id)
  for (const unit of units.filter(({ status }) => status === 'running')) {
    const error: ErrorRecord = { code: 'cancelled', message: `${unit.id} was stopped`, machine: unit.machine }
    await store.operations.setUnit(operation.id, unit.stage, unit.id, { status: 'failed', error })
    Object.assign(unit, { status: 'failed', error })
  }
  return units
}

async function succeed(
  deps: ActivityDeps,
  operation: OperationRecord,
  units: UnitRecord[],
  signal: AbortSignal,
): Promise<OperationResult> {
  const { store } = deps
  const { deploymentId, kind, request } = operation
  const result: OperationResult = { units: units.filter(({ status }) => status === 'done').length }
  if (endsDeployment(operation)) {
    await retire(deps, operation)
    return result
  }
  if (kind === 'check') return { ...result, drift: await driftOf(store, operation.id) }
  const deployment = await store.deployments.get(deploymentId)
  if (deployment && kind !== 'push') {
    await store.overrides.set(deploymentId, 'scale', await scaleChanges({ store, operation, deployment }))
  }
  const stored = await store.overrides.list(deploymentId)
  for (const [scope, changes] of Object.entries(canaryChanges(operation, stored)))
    await store.overrides.set(deploymentId, scope, changes)
  if ((kind === 'deploy' || kind === 'rollback') && request.release !== undefined && !request.canary) {
    await store.deployments.setCurrentRelease(deploymentId, request.release)
    await awaitValues(deps, operation, signal)
  }
  if (kind === 'push') await followPush(deps, operation)
  await settleClouds(deps, operation, signal)
  return { ...result, outputs: await outputsOf(deps, deploymentId) }
}

/**
 * What a cloud has of a deployment beside its machines goes with it. What it refuses to remove keeps the deployment, so that it can be
 * asked for again; one of which nothing was ever carried out has nothing there.
 */
async function letGo(
  deps: ActivityDeps,
  operation: OperationRecord,
  signal: AbortSignal,
): Promise<ErrorRecord | undefined> {
  const refused = await settleClouds(deps, operation, signal)
  const row = refused && (await deps.store.deployments.get(operation.deploymentId))
  if (!row) return undefined
  const former = await deps.store.operations.list(row.tenantId, { deployment: operation.deployment }, { limit: 100 })
  return former.some(({ deploymentId, result }) => deploymentId === row.id && result !== null) ? refused : undefined
}

/** The deployment goes with its last machine, unless somebody already waits to deploy it anew. */
async function retire({ store }: ActivityDeps, { deploymentId, deployment, id }: OperationRecord): Promise<void> {
  const row = await store.deployments.get(deploymentId)
  if (!row) return
  const filter = { deployment, status: ['queued' as const] }
  const waiting = await store.operations.list(row.tenantId, filter, { limit: 100 })
  if (waiting.some((other) => other.deploymentId === deploymentId && other.id !== id)) {
    await store.deployments.setCurrentRelease(deploymentId, null)
  } else await store.deployments.remove(deploymentId)
}

function resultOfUndo(units: UnitRecord[], problems: ErrorRecord[]): OperationResult {
  const undo = units.filter(({ stage }) => stage === 'undo')
  const undoErrors = [...undo.flatMap(({ error }) => (error ? [error] : [])), ...problems]
  return {
    units: units.filter(({ stage, status }) => stage === 'main' && status === 'done').length,
    ...((undo.length > 0 || problems.length > 0) && { undone: undoErrors.length === 0 }),
    ...(undoErrors.length > 0 && { undoErrors }),
  }
}

/** What went wrong first, and what that means for what was there before. */
function errorOf(
  { kind }: OperationRecord,
  ending: Ending,
  units: UnitRecord[],
  deployment: DeploymentRecord | undefined,
  result: OperationResult,
): ErrorRecord {
  const failed = units
    .filter(({ stage, status, error }) => stage === 'main' && status === 'failed' && error?.code !== 'cancelled')
    .sort((a, b) => (a.finishedAt?.getTime() ?? 0) - (b.finishedAt?.getTime() ?? 0))
  const cause: ErrorRecord =
    ending === 'cancelled'
      ? { code: 'cancelled', message: `the ${kind} was cancelled` }
      : (failed[0]?.error ?? { code: 'internal', message: `the ${kind} failed` })
  const more = ending === 'failed' && failed.length > 1 ? `; ${failed.length - 1} more failed, see its units` : ''
  return { ...cause, message: `${cause.message}${more}${aftermath(kind, units, deployment, result)}` }
}

function aftermath(
  kind: OperationRecord['kind'],
  units: UnitRecord[],
  deployment: DeploymentRecord | undefined,
  { undone, undoErrors }: OperationResult,
): string {
  if (kind === 'check' || kind === 'push') return ''
  if (kind === 'destroy') return '; what is left is destroyed by asking again'
  if (kind === 'import') return undone === false ? '; its marks are still on it' : '; nothing was changed on it'
  if (kind === 'forget' && undone === undefined) return '; what is left is forgotten by asking again'
  if (undone === false) return `; undoing it met ${undoErrors?.length} errors, see undoErrors`
  if (deployment && deployment.currentRelease !== null) return `; release ${deployment.currentRelease} is still serving`
  if (undone) return '; what it had made was undone'
  return units.length > 0 ? '; what it made was kept' : ''
}
