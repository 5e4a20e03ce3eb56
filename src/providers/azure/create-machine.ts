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
    const addresses = await ensureAddresses(azure, names, all)
    const { networkInterfaces } = azure.network
    const wanted = interfaceOf(azure, place, addresses, all)
    return networkInterfaces.beginCreateOrUpdateAndWait(names.group, names.nic, wanted, lookAgain)
  }
  const { vm, nic } = await startMachine(azure, kept, request, { names, tags: all, attach })
  return toMachine(azure, vm, nic)
}

/** A machine's own public addresses, as resource ids, as far as it has any. */
interface OwnAddresses {
  four?: string
  six?: string
}

async function ensureAddresses(
  azure: Azure,
  { group, address, address6 }: MachineNames,
  tags: Record<string, string>,
): Promise<OwnAddresses> {
  const { publicAddresses, ipv6 } = azure.settings
  if (!publicAddresses) return {}
  const [four, six] = await Promise.all([
    putAddress(azure, group, address, tags),
    ipv6 ? putAddress(azure, group, address6, tags, 'IPv6') : undefined,
  ])
  return { ...(four.id !== undefined && { four: four.id }), ...(six?.id !== undefined && { six: six.id }) }
}

function interfaceOf(
  { settings }: Azure,
  { subnet, groups }: { subnet: string; groups?: { application: string; security: string } },
  { four, six }: OwnAddresses,
  tags: Record<string, string>,
): NetworkInterface {
  const security = settings.securityGroup ?? groups?.security
  const configuration = (privateIPAddressVersion: 'IPv4' | 'IPv6', address: string | undefined) => ({
    privateIPAllocationMethod: 'Dynamic',
    privateIPAddressVersion,
    subnet: { id: subnet },
    ...(groups && { applicationSecurityGroups: [{ id: groups.application }] }),
    ...(address !== undefined && { publicIPAddress: { id: address, deleteOption: 'Delete' } }),
  })
  return {
    location: settings.region,
    tags,
    ...(security !== undefined && { networkSecurityGroup: { id: security } }),
    ipConfigurations: [
      { name: 'primary', primary: true, ...configuration('IPv4', four) },
      // Azure wants the same groups for all addresses of an interface.
      ...(settings.ipv6 ? [{ name: 'ipv6', primary: false, ...configuration('IPv6', six) }] : []),
    ],
  }
}
