import { KitbagError } from '../../model/errors.ts'
import type { MachineRecord } from '../../model/machine.ts'
import { machineAccess } from '../machine-access.ts'
import { type PhaseInputs, phaseInputs } from '../phase-inputs.ts'
import { runPhase } from '../run-phase.ts'
import { serviceNamed } from '../service-of.ts'
import { theMachine, type UnitWork } from '../unit-work.ts'
import { componentOf } from '../world-of.ts'

/** A push may change what a deploy is just configuring, and the other way round. */
const mostRounds = 10

/**
 * The recipe's configure phase, rendered from facts as they are just before it runs, and once more while they changed under it: the
 * one that ends last has put the newest facts in force. The digest is taken off the row before and put on after.
 */
export async function configure(work: UnitWork): Promise<void> {
  const { machines } = work.deps.store
  let machine = await theMachine(work)
  let inputs = await phaseInputs(work, machine, 'configure')
  for (let round = 1; round <= mostRounds; round++) {
    await machines.update(machine.id, { configureDigest: null })
    await runPhase(work, machine, 'configure', inputs, { mode: 'apply', suppress: await ahead(work, machine, inputs) })
    machine = await theMachine(work)
    const now = await phaseInputs(work, machine, 'configure')
    if (now.digest === inputs.digest) {
      await machines.update(machine.id, { configureDigest: inputs.digest, drifted: false })
      return
    }
    inputs = now
  }
  throw new KitbagError(
    'conflict',
    `${machine.name}: what it is configured from changed ${mostRounds} times under way`,
    {
      machine: machine.name,
      retryable: true,
    },
  )
}

/** On a service's own machine: what can be changed while it runs is, and need not be notified any more. */
async function ahead(work: UnitWork, machine: MachineRecord, { context }: PhaseInputs): Promise<string[]> {
  const { service: name } = await componentOf(work)
  const service = name === undefined ? undefined : await serviceNamed(work, work.unit.component)
  // A machine that was never configured has nothing running yet.
  if (!service || machine.releaseNumber === null) return []
  return service.toolkit.control.beforeConfigure(service.context, machineAccess(machine), context.parameters)
}
