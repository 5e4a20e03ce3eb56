import { KitbagError } from '../../model/errors.ts'
import type { MachineRecord } from '../../model/machine.ts'
import { isLookedAfter } from '../dead-machines.ts'
import { machineAccess } from '../machine-access.ts'
import { configureDigestNow, type PhaseInputs, phaseInputs } from '../phase-inputs.ts'
import { runPhase } from '../run-phase.ts'
import { ownService, type RunningService } from '../service-of.ts'
import { findMachine, type UnitWork } from '../unit-work.ts'

/** A push may change what a deploy is just configuring, and the other way round. */
const mostRounds = 10

/**
 * The recipe's configure phase, rendered from facts as they are just before it runs, and once more while they changed under it: the
 * one that ends last has put the newest facts in force. The digest is taken off the row before and put on after.
 */
export async function configure(work: UnitWork): Promise<void> {
  try {
    await configureMachine(work)
  } catch (error) {
    if (!(await isPassedOver(work, error))) throw error
    const { machine } = work.unit
    const message = `${machine} is away: it is told when it is back, or replaced`
    work.events.add({ type: 'log', data: { level: 'warn', machine, message } })
  }
}

/** Milliseconds that a machine has to answer. */
const patience = 5_000

/** A push need not fail on a machine that is away, where somebody brings it level when it is back. */
async function isPassedOver(work: UnitWork, error: unknown): Promise<boolean> {
  const { deps, operation, deployment, signal } = work
  if (operation.kind !== 'push' || signal.aborted) return false
  if (!(error instanceof KitbagError) || error.code !== 'machine-unreachable') return false
  if (!(await isLookedAfter(deps, deployment.id))) return false
  const machine = await findMachine(work)
  if (!machine) return true
  return deps.reach.exec(machineAccess(machine), 'true', { timeout: patience, signal }).then(
    () => false,
    () => true,
  )
}

async function configureMachine(work: UnitWork): Promise<void> {
  const { machines } = work.deps.store
  if (await isGone(work)) return
  let inputs = await phaseInputs(work, 'configure')
  for (let round = 1; round <= mostRounds; round++) {
    const { id } = inputs.machine
    await machines.update(id, { configureDigest: null, ...unsettled(work, inputs.machine) })
    const service = await ownService(work)
    await runPhase(work, 'configure', inputs, { mode: 'apply', suppress: await ahead(service, inputs) })
    await service?.toolkit.control.afterConfigure(
      service.context,
      machineAccess(inputs.machine),
      inputs.context.parameters,
    )
    if ((await configureDigestNow(work)) === inputs.digest) {
      await machines.update(id, { configureDigest: inputs.digest, drifted: false })
      return
    }
    inputs = await phaseInputs(work, 'configure')
  }
  const { machine } = work.unit
  throw new KitbagError('conflict', `${machine}: what it is configured from changed ${mostRounds} times under way`, {
    machine,
    retryable: true,
  })
}

/** Another look at the health follows, and until then the machine is not as the plan wants it. */
function unsettled({ plan, unit }: UnitWork, { status }: MachineRecord): Partial<Pick<MachineRecord, 'status'>> {
  const following = plan.units.some(
    ({ kind, machine, needs }) => kind === 'ready' && machine === unit.machine && needs.includes(unit.id),
  )
  return following && status === 'ready' ? { status: 'installed' } : {}
}

/** A push runs beside other operations, and one of them may have removed the machine. */
async function isGone(work: UnitWork): Promise<boolean> {
  if (work.operation.kind !== 'push') return false
  const machine = await findMachine(work)
  return machine === undefined || machine.status === 'destroying' || machine.status === 'lost'
}

/** What can be changed while the service runs is, and need not be notified any more. */
async function ahead(service: RunningService | undefined, { machine, context }: PhaseInputs): Promise<string[]> {
  // A machine that was never configured has nothing running yet.
  if (!service || machine.releaseNumber === null) return []
  return service.toolkit.control.beforeConfigure(service.context, machineAccess(machine), context.parameters)
}
