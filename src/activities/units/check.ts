import type { Phase } from '../../model/recipe.ts'
import { machineAccess } from '../machine-access.ts'
import { type PhaseInputs, phaseInputs } from '../phase-inputs.ts'
import { runPhase } from '../run-phase.ts'
import { ownService } from '../service-of.ts'
import { theMachine, type UnitWork } from '../unit-work.ts'

const phases: Phase[] = ['install', 'configure']

/** Both phases in check mode, and what a service's own machine runs: changes nothing; differences become events, and mark the machine. */
export async function check(work: UnitWork): Promise<void> {
  let changed = 0
  for (const phase of phases) {
    const inputs = await phaseInputs(work, phase)
    changed += (await runPhase(work, phase, inputs, { mode: 'check' })).changed
    if (phase === 'configure') changed += await running(work, inputs)
  }
  const machine = await theMachine(work)
  await work.deps.store.machines.update(machine.id, { drifted: changed > 0 })
}

/** How many things run otherwise than they shall. */
async function running(work: UnitWork, { machine, context }: PhaseInputs): Promise<number> {
  const service = await ownService(work)
  const found =
    (await service?.toolkit.control.drift?.(service.context, machineAccess(machine), context.parameters)) ?? []
  for (const drift of found)
    work.events.add({
      type: 'resource',
      data: { ...drift, status: 'changed', machine: machine.name, phase: 'configure' },
    })
  return found.length
}
