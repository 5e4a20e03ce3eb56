import { KitbagError } from '../../model/errors.ts'
import type { MachineRecord } from '../../model/machine.ts'
import { machinesEnding } from '../../model/plan.ts'
import { mayServe } from '../../planner/change-context.ts'
import type { Provider } from '../../providers/contract.ts'
import { forgetOverrides } from '../forget-overrides.ts'
import { machineAccess } from '../machine-access.ts'
import { serviceNamed } from '../service-of.ts'
import { giveUpAddress, handOverAddress } from '../static-addresses.ts'
import { findMachine, type UnitWork } from '../unit-work.ts'
import { leaveMachine } from './share.ts'

/** Destroys the machine and removes its row, in this order, so that a crash in between is repeated. What is gone already is fine. */
export async function destroy(work: UnitWork): Promise<void> {
  const { deps } = work
  const row = await findMachine(work)
  if (!row) return
  if (mayServe(row)) await retire(work, row)
  if (row.hostId === undefined) await destroyMachine(work, row)
  else await leaveMachine(work, row)
  await forgetOverrides(work, row)
  await deps.store.machines.remove(row.id)
}

async function destroyMachine(work: UnitWork, row: MachineRecord): Promise<void> {
  const { deps } = work
  // A dead one stays known as dead, also when this is repeated.
  if (row.status !== 'lost') await deps.store.machines.update(row.id, { status: 'destroying' })
  try {
    const provider = await deps.clouds.provider(row.cloudId)
    await handOverAddress(work, provider, row)
    for (const id of await idsAtCloud(work, provider, row)) await provider.destroyMachine(id)
    await giveUpAddress(work, provider, row)
  } catch (error) {
    if (!(await isLeft(work, row, error))) throw error
    const message = `${row.name} stays as it is, because it does not answer: when it is back, kitbag sweep --remove cleans it`
    work.events.add({ type: 'log', data: { level: 'warn', machine: row.name, message } })
  }
  await work.boundary('destroy/gone')
  deps.reach.forget(row.id)
}

/** Nobody can clean a machine that is dead; who replaces it need not wait for that. */
export async function isLeft({ deps }: UnitWork, row: MachineRecord, error: unknown): Promise<boolean> {
  if (row.status !== 'lost' || !(error instanceof KitbagError)) return false
  if (error.code !== 'machine-unreachable' && error.code !== 'host-key-mismatch') return false
  return (await deps.clouds.capabilities(row.cloudId)).givesBack === true
}

/** Without the create call's answer its effect is found by the tag. */
export async function idsAtCloud({ deps }: UnitWork, provider: Provider, row: MachineRecord): Promise<string[]> {
  if (row.providerId) return [row.providerId]
  const { id: installation } = await deps.store.installation.get()
  const made = await provider.listMachines({ tags: { installation, machine: row.id } })
  return made.filter(({ status }) => status !== 'gone').map(({ id }) => id)
}

/** Whoever takes over from a service's machine does so before it goes. One that is dead or does not answer is no reason to keep it. */
export async function retire(work: UnitWork, row: MachineRecord): Promise<void> {
  const { deps, deployment, plan } = work
  const service = await serviceNamed(work, row.component)
  if (!service?.toolkit.control.retire) return
  const going = machinesEnding(plan.units)
  const rows = await deps.store.machines.list(deployment.id)
  if (!rows.some((other) => other.component === row.component && other.status === 'ready' && !going.has(other.name)))
    return
  try {
    await service.toolkit.control.retire(service.context, machineAccess(row), { going })
  } catch (error) {
    if (!(error instanceof KitbagError) || error.code === 'cancelled') throw error
    const message = `${row.name} is destroyed without handing over: ${error.message}`
    work.events.add({ type: 'log', data: { level: 'warn', machine: row.name, message } })
  }
}
