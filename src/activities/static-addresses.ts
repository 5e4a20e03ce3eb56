import { type Address, type MachineRecord, machineIdOf } from '../model/machine.ts'
import type { Provider } from '../providers/contract.ts'
import type { UnitWork } from './unit-work.ts'

/** Whether a machine has the static address that it is to have. */
function holds({ addresses }: Pick<MachineRecord, 'addresses'>): boolean {
  return addresses.some((address) => address.static)
}

/**
 * Addresses of a new machine, its static one among them. One that replaces another machine, which may still serve, has to wait for the
 * handing over.
 */
export async function firstAddresses(
  work: UnitWork,
  provider: Provider,
  row: MachineRecord & { providerId: string },
): Promise<Address[]> {
  const { staticAddress } = row.spec
  if (staticAddress === undefined || !provider.staticAddresses) return row.addresses
  if ((await others(work, row)).length > 0) return row.addresses
  return provider.staticAddresses.assign(await ownerOf(work), staticAddress, row.providerId)
}

/** Before a machine goes: its static address moves to the machine that has taken its place and is ready. Idempotent. */
export async function handOverAddress(work: UnitWork, provider: Provider, row: MachineRecord): Promise<void> {
  const { staticAddress } = row.spec
  if (staticAddress === undefined || !provider.staticAddresses) return
  const same = await others(work, row)
  const heir = same.find(({ status }) => status === 'ready')
  if (!heir?.providerId || same.some(holds)) return
  const addresses = await provider.staticAddresses.assign(await ownerOf(work), staticAddress, heir.providerId)
  await work.boundary('destroy/handed-over')
  const { machines } = work.deps.store
  for (const [machine, now] of [
    [row, row.addresses.filter((address) => !address.static)],
    [heir, addresses],
  ] as const)
    for (const { id } of (await machines.list(machine.deploymentId)).filter((one) => machineIdOf(one) === machine.id))
      await machines.update(id, { addresses: now })
}

/** After a machine has gone: its static address goes too, unless another machine has it or is to have it. Idempotent. */
export async function giveUpAddress(work: UnitWork, provider: Provider, row: MachineRecord): Promise<void> {
  const { staticAddress } = row.spec
  if (staticAddress === undefined || !provider.staticAddresses) return
  if ((await others(work, row)).length > 0) return
  await provider.staticAddresses.release(await ownerOf(work), staticAddress)
}

/** Other machines of the same static address, at the same cloud; what shares one is none. */
async function others({ deps, deployment }: UnitWork, row: MachineRecord): Promise<MachineRecord[]> {
  const rows = await deps.store.machines.list(deployment.id)
  return rows.filter(
    ({ id, hostId, cloudId, spec }) =>
      id !== row.id && hostId === undefined && cloudId === row.cloudId && spec.staticAddress === row.spec.staticAddress,
  )
}

async function ownerOf({ deps, deployment }: UnitWork) {
  const { id: installation } = await deps.store.installation.get()
  return { installation, deployment: deployment.id }
}
