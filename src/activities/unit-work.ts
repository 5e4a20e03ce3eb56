import type { DeploymentRecord } from '../db/store.ts'
import { KitbagError } from '../model/errors.ts'
import type { MachineRecord } from '../model/machine.ts'
import type { OperationRecord, UnitStage } from '../model/operation.ts'
import type { Plan, Unit } from '../model/plan.ts'
import type { ActivityDeps, Timings } from './deps.ts'
import type { EventSink } from './event-sink.ts'

/** What one try of one unit works with. */
export interface UnitWork {
  deps: ActivityDeps
  timings: Timings
  operation: OperationRecord
  deployment: DeploymentRecord
  stage: UnitStage
  plan: Plan
  unit: Unit
  /** Aborted by a cancellation: stop between two steps, leave rows as they are. */
  signal: AbortSignal
  events: EventSink
  /** Names a moment around an effect, for fault tests. */
  boundary(name: string): Promise<void>
}

/** The effect of one kind of unit. Idempotent: it may be repeated after a crash at any point. */
export type UnitEffect = (work: UnitWork) => Promise<void>

export async function findMachine({ deps, deployment, unit }: UnitWork): Promise<MachineRecord | undefined> {
  const machines = await deps.store.machines.list(deployment.id)
  return machines.find((machine) => machine.name === unit.machine)
}

/** The unit's machine. Throws `internal` when its row is missing. */
export async function theMachine(work: UnitWork): Promise<MachineRecord> {
  const machine = await findMachine(work)
  if (!machine) throw noMachine(work.unit)
  return machine
}

/**
 * Whether with this unit the machine is as the plan wants it: it is healthy, and every service sends to it. Only then its row says
 * `ready`, so that whatever was cut off before is planned again.
 */
export function isSettled({ plan, unit }: UnitWork): boolean {
  const last = plan.units.findLast(
    ({ kind, machine }) => machine === unit.machine && (kind === 'ready' || kind === 'join'),
  )
  return last?.id === unit.id
}

export function noMachine({ id, machine }: Unit): KitbagError {
  return new KitbagError('internal', `${id}: there is no machine ${machine}`, { machine })
}
