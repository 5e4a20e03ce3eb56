import type { NetworkInterface } from '@azure/arm-network'
import type { CreateMachineRequest, MachineTags, ProviderMachine } from '../contract.ts'
import { type Azure, lookAgain } from './azure.ts'
import { found } from './failures.ts'
import { toMachine } from './machines.ts'
import { type MachineNames, machineNames, machineTags, ownerTags, sharedName } from './names.ts'
import type { Places } from './places.ts'
import type { Offers } from './resolve.ts'
import { startMachine } from './start-machine.ts'

/**
 * Public address, network interface, machine: three calls, each of which may be repeated, because the names are the token's. Returns when
 * Azure has found room for it, so that it can still go elsewhere.
 */
export async function createMachine(
  azure: Azure,
  places: Places,
  kept: Offers,
  request: CreateMachineRequest,
  { token, tags }: { token: string; tags: MachineTags },
): Promise<ProviderMachine> {
  const place = await places.of(tags, request.component)
  const names = machineNames(place.group, request.name, token)
  const all = machineTags(tags, request.name)
  const attach = async () => {
    const address = await ensureAddress(azure, request, tags, names, all)
    const { networkInterfaces } = azure.network
    const wanted = interfaceOf(azure, place, address, all)
    return networkInterfaces.beginCreateOrUpdateAndWait(names.group, names.nic, wanted, lookAgain)
  }
  const { vm, nic } = await startMachine(azure, kept, request, { names, tags: all, attach })
  return toMachine(azure, vm, nic)
}

interface GivenAddress {
  id: string
  /** Stays when the machine goes. */
  fixed: boolean
}

/** A public address: the machine's own, or, where it shall survive replacement, that of the machine's name. */
async function ensureAddress(
  { network, settings, addresses }: Azure,
  { name, component }: CreateMachineRequest,
  owner: MachineTags,
  names: MachineNames,
  tags: Record<string, string>,
): Promise<GivenAddress | undefined> {
  if (!settings.publicAddresses) return undefined
  const fixed = settings.staticAddresses.includes(component)
  const own = fixed ? sharedName(owner, `${name}-ip`) : names.address
  const known = fixed ? await found(() => network.publicIPAddresses.get(names.group, own)) : undefined
  const made =
    known ??
    (await network.publicIPAddresses.beginCreateOrUpdateAndWait(
      names.group,
      own,
      {
        location: settings.region,
        tags: fixed ? ownerTags(owner) : tags,
        sku: { name: 'Standard' },
        publicIPAllocationMethod: 'Static',
        publicIPAddressVersion: 'IPv4',
      },
      lookAgain,
    ))
  if (made.id && made.ipAddress) addresses.set(made.id.toLowerCase(), made.ipAddress)
  return { id: made.id ?? '', fixed }
}

function interfaceOf(
  { settings }: Azure,
  { subnet, groups }: { subnet: string; groups?: { application: string; security: string } },
  address: GivenAddress | undefined,
  tags: Record<string, string>,
): NetworkInterface {
  const security = settings.securityGroup ?? groups?.security
  return {
    location: settings.region,
    tags,
    ...(security !== undefined && { networkSecurityGroup: { id: security } }),
    ipConfigurations: [
      {
        name: 'primary',
        primary: true,
        privateIPAllocationMethod: 'Dynamic',
        privateIPAddressVersion: 'IPv4',
        subnet: { id: subnet },
        ...(groups && { applicationSecurityGroups: [{ id: groups.application }] }),
        ...(address && { publicIPAddress: { id: address.id, deleteOption: address.fixed ? 'Detach' : 'Delete' } }),
      },
    ],
  }
}
