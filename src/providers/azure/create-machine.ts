import type { NetworkInterface } from '@azure/arm-network'
import type { CreateMachineRequest, MachineTags, ProviderMachine } from '../contract.ts'
import { type Azure, lookAgain } from './azure.ts'
import { toMachine } from './machines.ts'
import { type MachineNames, machineNames, machineTags } from './names.ts'
import type { Places } from './places.ts'
import { putAddress } from './public-addresses.ts'
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
    const address = await ensureAddress(azure, names, all)
    const { networkInterfaces } = azure.network
    const wanted = interfaceOf(azure, place, address, all)
    return networkInterfaces.beginCreateOrUpdateAndWait(names.group, names.nic, wanted, lookAgain)
  }
  const { vm, nic } = await startMachine(azure, kept, request, { names, tags: all, attach })
  return toMachine(azure, vm, nic)
}

/** The machine's own public address; undefined: it has none. */
async function ensureAddress(
  azure: Azure,
  names: MachineNames,
  tags: Record<string, string>,
): Promise<string | undefined> {
  return azure.settings.publicAddresses ? (await putAddress(azure, names.group, names.address, tags)).id : undefined
}

function interfaceOf(
  { settings }: Azure,
  { subnet, groups }: { subnet: string; groups?: { application: string; security: string } },
  address: string | undefined,
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
        ...(address !== undefined && { publicIPAddress: { id: address, deleteOption: 'Delete' } }),
      },
    ],
  }
}
