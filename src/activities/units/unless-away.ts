import { KitbagError } from '../../model/errors.ts'
import { isLookedAfter } from '../dead-machines.ts'
import { machineAccess } from '../machine-access.ts'
import { findMachine, type UnitWork } from '../unit-work.ts'

/** Milliseconds that a machine has to answer. */
const patience = 5_000

/** Does it; some changes need not fail on a machine that is away, because somebody brings it level when it is back. */
export async function unlessAway(work: UnitWork, act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch (error) {
    if (!(await isPassedOver(work, error))) throw error
    const { machine, only } = work.unit
    const later = only === 'firewall' ? 'who may come to it changes' : 'it is told'
    const message = `${machine} is away: ${later} when it is back, or replaced`
    work.events.add({ type: 'log', data: { level: 'warn', machine, message } })
  }
}

/** Whether a unit's change may come to its machine later: a push's, and that of who may come to a machine which is itself not changed. */
export function isLeftWhenAway({ operation, unit }: UnitWork): boolean {
  return operation.kind === 'push' || unit.only === 'firewall'
}

async function isPassedOver(work: UnitWork, error: unknown): Promise<boolean> {
  const { deps, deployment, unit, signal } = work
  if (!isLeftWhenAway(work) || signal.aborted) return false
  if (!(error instanceof KitbagError) || error.code !== 'machine-unreachable') return false
  if (unit.only !== 'firewall' && !(await isLookedAfter(deps, deployment.id))) return false
  const machine = await findMachine(work)
  if (!machine) return true
  return deps.reach.exec(machineAccess(machine), 'true', { timeout: patience, signal }).then(
    () => false,
    () => true,
  )
}

/** A push runs beside other operations, and one of them may have removed the machine. */
export async function isGone(work: UnitWork): Promise<boolean> {
  if (work.operation.kind !== 'push') return false
  const machine = await findMachine(work)
  return machine === undefined || machine.status === 'destroying' || machine.status === 'lost'
}
