import type { MachineRecord } from '../../model/machine.ts'
import type { Provider } from '../../providers/contract.ts'
import { forgetOverrides } from '../forget-overrides.ts'
import { findMachine, type UnitWork } from '../unit-work.ts'

/** Destroys the machine and removes its row, in this order, so that a crash in between is repeated. What is gone already is fine. */
export async function destroy(work: UnitWork): Promise<void> {
  const { deps } = work
  const row = await findMachine(work)
  if (!row) return
  await deps.store.machines.update(row.id, { status: 'destroying' })
  const provider = await deps.clouds.provider(row.cloudId)
  for (const id of await idsAtCloud(work, provider, row)) await provider.destroyMachine(id)
  await work.boundary('destroy/gone')
  deps.reach.forget(row.id)
  await forgetOverrides(work, row)
  await deps.store.machines.remove(row.id)
}

/** Without the create call's answer its effect is found by the tag. */
async function idsAtCloud({ deps }: UnitWork, provider: Provider, row: MachineRecord): Promise<string[]> {
  if (row.providerId) return [row.providerId]
  const { id: installation } = await deps.store.installation.get()
  const made = await provider.listMachines({ tags: { installation, machine: row.id } })
  return made.filter(({ status }) => status !== 'gone').map(({ id }) => id)
}
