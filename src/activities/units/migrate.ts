import { phaseInputs } from '../phase-inputs.ts'
import { runPhase } from '../run-phase.ts'
import type { UnitWork } from '../unit-work.ts'

/**
 * The recipe's migrate phase, once per release and component. It is recorded after it ran: a crash in between runs it again, so the
 * migration itself must bear being repeated (docs/getting-started.md says so to its author).
 */
export async function migrate(work: UnitWork): Promise<void> {
  const { deps, deployment, unit } = work
  const inputs = await phaseInputs(work, 'migrate')
  const ran = await deps.store.machines.migrated(deployment.id, unit.component)
  if (ran.includes(inputs.digest)) return
  await runPhase(work, 'migrate', inputs, { mode: 'apply' })
  await deps.store.machines.recordMigration(deployment.id, unit.component, inputs.digest)
}
