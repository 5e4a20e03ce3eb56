import { phaseInputs } from '../phase-inputs.ts'
import { runPhase } from '../run-phase.ts'
import type { UnitWork } from '../unit-work.ts'
import { isGone, unlessAway } from './unless-away.ts'

/** The recipe's install phase. The digest is taken off the row before and put on after: one that was cut off is planned again. */
export function install(work: UnitWork): Promise<void> {
  return unlessAway(work, () => installMachine(work))
}

async function installMachine(work: UnitWork): Promise<void> {
  const { machines } = work.deps.store
  if (await isGone(work)) return
  const inputs = await phaseInputs(work, 'install')
  const { machine } = inputs
  await machines.update(machine.id, { installDigest: null })
  await runPhase(work, 'install', inputs, { mode: 'apply' })
  const status = machine.status === 'created' ? ({ status: 'installed' } as const) : {}
  await machines.update(machine.id, { installDigest: inputs.digest, ...status })
}
