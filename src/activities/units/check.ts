import type { Phase } from '../../model/recipe.ts'
import { phaseInputs } from '../phase-inputs.ts'
import { runPhase } from '../run-phase.ts'
import { theMachine, type UnitWork } from '../unit-work.ts'

const phases: Phase[] = ['install', 'configure']

/** Both phases in check mode: changes nothing; differences become events, and mark the machine. */
export async function check(work: UnitWork): Promise<void> {
  let changed = 0
  for (const phase of phases) {
    changed += (await runPhase(work, phase, await phaseInputs(work, phase), { mode: 'check' })).changed
  }
  const machine = await theMachine(work)
  await work.deps.store.machines.update(machine.id, { drifted: changed > 0 })
}
