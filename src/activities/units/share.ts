import { KitbagError } from '../../model/errors.ts'
import type { MachineRecord } from '../../model/machine.ts'
import { machinesEnding, type Unit } from '../../model/plan.ts'
import { leavingProgram } from '../../recipes/compile.ts'
import { runCompiled } from '../run-phase.ts'
import type { UnitWork } from '../unit-work.ts'

/** A row for a component on the machine of another: it is reached there, and its machine is there already. */
export async function share(work: UnitWork, create: NonNullable<Unit['create']>, on: string): Promise<void> {
  const { deps, deployment, unit } = work
  const { machines } = deps.store
  const host = (await machines.list(deployment.id)).find(({ name }) => name === on)
  if (!host) throw new KitbagError('internal', `${unit.id}: there is no machine ${on}`, { machine: unit.machine })
  const { ordinal, cloud: cloudId, spec, stateful } = create
  const { component, machine: name } = unit
  const { id: hostId, providerId, addresses, user, sshPort, hostKey } = host
  const row = await machines.ensureCreating(
    deployment.id,
    { component, name, ordinal, cloudId, spec, stateful, hostId },
    { publicKey: hostKey, privateKey: '' },
  )
  if (row.status !== 'creating') return
  const reached = { addresses, user, sshPort, hostKey, ...(providerId !== undefined && { providerId }) }
  await machines.update(row.id, { ...reached, status: 'created' })
}

/**
 * Takes a component off the machine that it shares, and its row away. Of a machine that is dead, or goes with it, nothing has to be taken
 * off. One that is cut off is as if nothing had been done on it.
 */
export async function leaveMachine(work: UnitWork, row: MachineRecord): Promise<void> {
  const { deps, deployment, plan } = work
  const { machines } = deps.store
  const host = (await machines.list(deployment.id)).find(({ id }) => id === row.hostId)
  const going = host !== undefined && machinesEnding(plan.units).has(host.name)
  if (host && host.status !== 'lost' && row.status !== 'lost' && !going) {
    await machines.update(row.id, { installDigest: null, configureDigest: null })
    await runCompiled(work, row, leavingProgram(row.component), { phase: 'configure', secrets: [], mode: 'apply' })
  }
  await work.boundary('destroy/gone')
  deps.reach.forget(row.id)
}
