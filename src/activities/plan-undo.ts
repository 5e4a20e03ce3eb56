import type { DeploymentRecord } from '../db/store.ts'
import { isFinal, type OperationRecord } from '../model/operation.ts'
import type { Plan } from '../model/plan.ts'
import type { ActivityDeps } from './deps.ts'
import { isStoreAway, redactedRecord, repeatedFailure } from './failures.ts'
import { heartbeating } from './heartbeat.ts'
import { type PlannedUndo, skeletonOf } from './planned.ts'
import { planFor } from './planning.ts'

const nothing: PlannedUndo = { next: 'nothing', units: [], problems: [] }

/** The plan back to the release in force, against what is now; or what is left of it. Never fails for good: problems are reported. */
export function planUndo(deps: ActivityDeps, operationId: string): Promise<PlannedUndo> {
  return heartbeating(async (signal) => {
    const { store } = deps
    const operation = await store.operations.get(operationId)
    if (!operation || isFinal(operation.status)) return nothing
    try {
      const plan = (await store.operations.plan(operationId, 'undo')) ?? (await makePlan(deps, operation))
      return plan ? await left(deps, operation, plan) : nothing
    } catch (error) {
      if (signal.aborted || isStoreAway(error)) throw repeatedFailure('planning the undo was interrupted', error)
      deps.log.error('the undo could not be planned', { operation: operationId, error })
      return { ...nothing, problems: [redactedRecord(error, [])] }
    }
  })
}

async function makePlan(deps: ActivityDeps, operation: OperationRecord): Promise<Plan | undefined> {
  const { store } = deps
  const main = await store.operations.plan(operation.id, 'main')
  const deployment = await store.deployments.get(operation.deploymentId)
  if (!main || !deployment || !isUndone(operation, deployment)) return undefined
  const plan = await planFor(deps, operation, 'undo')
  await store.operations.appendEvents(operation.id, [
    { type: 'log', data: { level: 'info', message: `undoing: ${plan.units.length} units` } },
  ])
  return store.operations.savePlan(operation.id, 'undo', plan)
}

/** A check changed nothing, a push's truth is stored, and what was destroyed does not come back. */
function isUndone({ kind, request }: OperationRecord, { currentRelease }: DeploymentRecord): boolean {
  if (kind === 'check' || kind === 'push' || kind === 'destroy') return false
  if (kind === 'forget' && !request.machines) return false
  return !(request.keepFailed && currentRelease === null)
}

async function left({ store }: ActivityDeps, { id }: OperationRecord, plan: Plan): Promise<PlannedUndo> {
  const units = (await store.operations.units(id)).filter(({ stage }) => stage === 'undo')
  // A failed one was recorded and passed over: it is behind us too.
  const behind = new Set(units.filter(({ status }) => status === 'done' || status === 'failed').map((unit) => unit.id))
  return { next: 'units', units: skeletonOf(plan, behind), problems: [] }
}
