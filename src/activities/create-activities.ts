import type { ErrorRecord } from '../model/errors.ts'
import type { ActivityDeps } from './deps.ts'
import { type Ending, finishOperation } from './finish-operation.ts'
import { loseUnit } from './lose-unit.ts'
import { planOperation } from './plan-operation.ts'
import { planUndo } from './plan-undo.ts'
import type { Planned, PlannedUndo } from './planned.ts'
import { runUnit, type UnitInput } from './run-unit.ts'
import { sweepDeployment } from './sweep-deployment.ts'

export type { ActivityDeps } from './deps.ts'
export type { Ending } from './finish-operation.ts'
export type { Planned, PlannedUndo } from './planned.ts'
export type { UnitInput } from './run-unit.ts'

/** What the workflow may ask for. Inputs and answers hold ids and unit skeletons only; all else is in rows. */
export interface Activities {
  /** Plans when the operation's turn has come, or gives what is left of the stored plan. */
  planOperation(operationId: string): Promise<Planned>
  /** One unit: the effect and its row. */
  runUnit(input: UnitInput): Promise<void>
  /** Marks a unit failed that nobody else could. */
  loseUnit(input: UnitInput): Promise<void>
  /** Plans the way back to the release in force, or gives what is left of it. */
  planUndo(operationId: string): Promise<PlannedUndo>
  /** Destroys what the clouds have of this deployment beyond its rows; returns what it could not. */
  sweepDeployment(operationId: string): Promise<ErrorRecord[]>
  /** Ends the operation's row. */
  finishOperation(operationId: string, ending: Ending, problems: ErrorRecord[]): Promise<void>
}

export function createActivities(deps: ActivityDeps): Activities {
  return {
    planOperation: (operationId) => planOperation(deps, operationId),
    runUnit: (input) => runUnit(deps, input),
    loseUnit: (input) => loseUnit(deps, input),
    planUndo: (operationId) => planUndo(deps, operationId),
    sweepDeployment: (operationId) => sweepDeployment(deps, operationId),
    finishOperation: (operationId, ending, problems) => finishOperation(deps, operationId, ending, problems),
  }
}
