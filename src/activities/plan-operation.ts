import { KitbagError } from '../model/errors.ts'
import { isFinal, type OperationRecord } from '../model/operation.ts'
import type { Plan } from '../model/plan.ts'
import { refuseDataLoss } from '../planner/refuse-data-loss.ts'
import { deadMachines } from './dead-machines.ts'
import type { ActivityDeps } from './deps.ts'
import { isStoreAway, redactedRecord, repeatedFailure } from './failures.ts'
import { heartbeating, isCancelRequested } from './heartbeat.ts'
import { refreshValues } from './make-values.ts'
import { type Planned, skeletonOf } from './planned.ts'
import { markLost, planFor } from './planning.ts'
import { openClouds, settleClouds } from './secure-clouds.ts'

/**
 * Where an operation stands, from its rows alone: so a workflow may begin anew at any time. Plans when there is no plan yet. What may
 * not or cannot be planned ends the row here, because nothing was touched.
 */
export function planOperation(deps: ActivityDeps, operationId: string): Promise<Planned> {
  return heartbeating(async (signal) => {
    const { store } = deps
    const operation = await store.operations.get(operationId)
    if (!operation || isFinal(operation.status)) return { next: 'over', units: [] }
    try {
      const stored = await store.operations.plan(operationId, 'main')
      if (stored) return await standing(deps, operation, stored)
      if (operation.status === 'cancelling') return { next: 'undo-cancelled', units: [] }
      const plan = await store.operations.savePlan(operationId, 'main', await makePlan(deps, operation, signal))
      await store.operations.appendEvents(operationId, [{ type: 'plan', data: summaryOf(plan) }])
      return await standing(deps, operation, plan)
    } catch (error) {
      if (isCancelRequested()) return { next: 'undo-cancelled', units: [] }
      if (signal.aborted || isStoreAway(error)) throw repeatedFailure('planning was interrupted', error)
      if (!(error instanceof KitbagError))
        deps.log.error('planning failed unexpectedly', { operation: operationId, error })
      await store.operations.finish(operationId, { status: 'failed', error: redactedRecord(error, []) })
      return { next: 'over', units: [] }
    }
  })
}

async function makePlan(deps: ActivityDeps, asked: OperationRecord, signal: AbortSignal): Promise<Plan> {
  if (asked.kind === 'push') await refreshValues(deps, asked, signal)
  const operation = await withDead(deps, asked, signal)
  const plan = await planFor(deps, operation, 'main')
  refuseStale(operation, plan)
  refuseDataLoss(plan)
  if (plan.units.length > 0 && operation.kind !== 'check' && operation.kind !== 'push') {
    try {
      await openClouds(deps, operation, plan.release, signal)
    } catch (error) {
      // What was made before the cloud refused the rest must not stay: no undo follows.
      if (!signal.aborted && !isStoreAway(error)) await settleClouds(deps, operation, signal)
      throw error
    }
  }
  await markLost(deps, operation)
  return plan
}

/** Machines that are dead are replaced in the same go: the change would fail on them. */
async function withDead(deps: ActivityDeps, operation: OperationRecord, signal: AbortSignal): Promise<OperationRecord> {
  const dead = await deadMachines(deps, operation, signal)
  if (dead.length === 0) return operation
  const rows = await deps.store.machines.list(operation.deploymentId)
  const names = rows.filter(({ id }) => dead.includes(id)).map(({ name }) => name)
  const message = `${names.join(', ')}: dead, and replaced in the same go`
  await deps.store.operations.appendEvents(operation.id, [{ type: 'log', data: { level: 'warn', message } }])
  return { ...operation, request: { ...operation.request, lost: dead } }
}

function refuseStale({ request }: OperationRecord, plan: Plan): void {
  if (request.plan === undefined || request.plan === plan.digest) return
  throw new KitbagError(
    'plan-stale',
    `the plan ${request.plan} does not hold any more: now it would be ${plan.digest}`,
    {
      fix: 'Look at the new plan and say its digest: kitbag plan',
    },
  )
}

async function standing({ store }: ActivityDeps, operation: OperationRecord, plan: Plan): Promise<Planned> {
  const units = await store.operations.units(operation.id)
  const main = units.filter(({ stage }) => stage === 'main')
  const done = new Set(main.filter(({ status }) => status === 'done').map(({ id }) => id))
  const broken = main.some(({ status, error }) => status === 'failed' && error?.code !== 'cancelled')
  const cancelled = operation.status === 'cancelling'
  if (broken) return { next: 'undo-failed', units: [] }
  if (cancelled && (done.size < main.length || units.length > main.length)) return { next: 'undo-cancelled', units: [] }
  if (done.size === plan.units.length) return { next: 'succeeded', units: [] }
  return { next: 'units', units: skeletonOf(plan, done) }
}

function summaryOf({ digest, changes, units }: Plan): Record<string, unknown> {
  const counts: Record<string, number> = {}
  for (const { action } of changes) counts[action] = (counts[action] ?? 0) + 1
  return { digest, units: units.length, changes: counts }
}
