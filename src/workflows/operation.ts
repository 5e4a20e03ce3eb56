import {
  CancellationScope,
  continueAsNew,
  defineSignal,
  isCancellation,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow'
import type { Ending, Planned, UnitInput } from '../activities/create-activities.ts'
import type { ErrorRecord } from '../model/errors.ts'
import type { UnitStage } from '../model/operation.ts'
import type { UnitSkeleton } from '../model/plan.ts'
import { interpret } from './interpret.ts'
import { cancelSignal, type OperationInput } from './messages.ts'
import { finishOperation, loseUnit, planOperation, planUndo, sweepDeployment, unitActivity } from './unit-activities.ts'

/** Activities at the same time, at most. With the events of as many still running, a run's history stays below 4,096. */
const parallel = 100
const historyThreshold = 3_000

/**
 * One operation, whatever its kind: plan, interpret, and after a failure or a cancellation plan back and interpret that. It keeps
 * nothing that rows do not hold, so it may begin anew at any unit.
 */
export async function operation({ operationId }: OperationInput): Promise<void> {
  const main = new CancellationScope()
  setHandler(defineSignal(cancelSignal), () => main.cancel())
  const outcome = await main.run(() => carryOut(operationId, main))
  const goOn = await CancellationScope.nonCancellable(() => conclude(operationId, outcome))
  if (goOn) await continueAsNew<typeof operation>({ operationId })
}

type Outcome = Exclude<Planned['next'], 'units'> | 'continue'

async function carryOut(operationId: string, scope: CancellationScope): Promise<Outcome> {
  const planned = await planOperation(operationId).catch((error: unknown): Planned => {
    if (isCancellation(error) || scope.consideredCancelled) return { next: 'undo-cancelled', units: [] }
    throw error
  })
  if (planned.next !== 'units') return planned.next
  const { failed, unfinished } = await interpretStage(operationId, 'main', planned.units, scope)
  if (failed.length > 0) return 'undo-failed'
  if (unfinished === 0) return 'succeeded'
  return scope.consideredCancelled ? 'undo-cancelled' : 'continue'
}

/** Returns whether the undo has to go on in a new run. */
async function conclude(operationId: string, outcome: Outcome): Promise<boolean> {
  switch (outcome) {
    case 'over':
      return false
    case 'continue':
      return true
    case 'succeeded':
      await finishOperation(operationId, 'succeeded', [])
      return false
    case 'undo-failed':
      return undo(operationId, 'failed')
    case 'undo-cancelled':
      return undo(operationId, 'cancelled')
  }
}

async function undo(operationId: string, ending: Ending): Promise<boolean> {
  const problems: ErrorRecord[] = []
  const planned = await planUndo(operationId)
  problems.push(...planned.problems)
  if (planned.next === 'units') {
    const { unfinished } = await interpretStage(operationId, 'undo', planned.units)
    if (unfinished > 0) return true
    problems.push(...(await sweepDeployment(operationId)))
  }
  await finishOperation(operationId, ending, problems)
  return false
}

function interpretStage(operationId: string, stage: UnitStage, units: UnitSkeleton[], scope?: CancellationScope) {
  const cancelled = () => scope?.consideredCancelled === true
  return interpret(units, {
    limit: parallel,
    onFailure: stage === 'main' ? 'stop' : 'go-on',
    mayStart: () => !cancelled() && workflowInfo().historyLength < historyThreshold,
    run: (unit) => runUnit({ operationId, stage, unitId: unit.id }, unit, cancelled),
  })
}

async function runUnit(input: UnitInput, { kind, wait }: UnitSkeleton, cancelled: () => boolean) {
  try {
    if (wait !== undefined) await sleep(wait)
    await unitActivity(kind)(input)
    return 'done'
  } catch (error) {
    // While it is being cancelled a unit may also end by what it was just struggling with.
    if (isCancellation(error) || cancelled()) return 'interrupted'
    await CancellationScope.nonCancellable(() => loseUnit(input))
    return 'failed'
  }
}
