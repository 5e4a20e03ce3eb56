import type { NetworkInterface, PublicIPAddress } from '@azure/arm-network'
import { KitbagError } from '../../model/errors.ts'
import type { Address } from '../../model/machine.ts'
import type { StaticAddresses } from '../contract.ts'
import { type Azure, lookAgain } from './azure.ts'
import { during, found, patiently } from './failures.ts'
import { allOf } from './inventory.ts'
import { addressesOf } from './machines.ts'
import {
  groupName,
  groupOf,
  isOf,
  lastName,
  type Owner,
  ownerTags,
  parseMachineId,
  sameId,
  sharedName,
  tagKeys,
} from './names.ts'
import { putAddress } from './public-addresses.ts'

/** Public addresses of a deployment's own, by their names; machines bring one of their own along, which goes when they get such a one. */
export function staticAddresses(
  azure: Azure,
  turn: <T>(key: string, work: () => Promise<T>) => Promise<T>,
): StaticAddresses {
  const { network, settings } = azure
  return {
    assign: (owner, name, machineId) =>
      turn(machineId, () => patiently(`static address ${name}`, () => assign(azure, owner, name, machineId))),
    list: (installation) =>
      during('static addresses', async () => {
        const { resourceGroup: group } = settings
        const pages = group === undefined ? network.publicIPAddresses.listAll() : network.publicIPAddresses.list(group)
        return (await allOf(pages)).flatMap(({ tags = {}, ipAddress: address = '' }) => {
          const { [tagKeys.address]: name, [tagKeys.deployment]: deployment = '' } = tags
          return name === undefined || tags[tagKeys.installation] !== installation
            ? []
            : [{ deployment, name, address }]
        })
      }),
    release: (owner, name) =>
      patiently(`static address ${name}`, async () => {
        const group = groupOf(azure, owner)
        const own = nameOf(owner, name)
        const known = await found(() => network.publicIPAddresses.get(group, own))
        if (!known || !isOf(known.tags, owner)) return
        await detach(azure, known)
        await found(() => network.publicIPAddresses.beginDeleteAndWait(group, own, lookAgain))
        azure.addresses.delete((known.id ?? '').toLowerCase())
      }),
  }
}

function nameOf(owner: Owner, name: string): string {
  return sharedName(owner, `${name}-ip`)
}

async function assign(azure: Azure, owner: Owner, name: string, machineId: string): Promise<Address[]> {
  const { network } = azure
  const group = groupOf(azure, owner)
  const names = parseMachineId(azure, machineId)
  const nic = names && (await found(() => network.networkInterfaces.get(names.group, names.nic)))
  if (!names || !nic) throw new KitbagError('provider-failed', `azure: ${machineId} is gone, so it gets no address`)
  const own = nameOf(owner, name)
  const tags = { ...ownerTags(owner), [tagKeys.address]: name }
  const address =
    (await found(() => network.publicIPAddresses.get(group, own))) ?? (await putAddress(azure, group, own, tags))
  const has = (one: NetworkInterface) =>
    one.ipConfigurations?.some(({ publicIPAddress }) => sameId(publicIPAddress?.id, address.id))
  if (!has(nic)) await detach(azure, address)
  const held = has(nic) ? nic : await attach(azure, nic, address)
  const loose = await found(() => network.publicIPAddresses.get(names.group, names.address))
  if (loose) await found(() => network.publicIPAddresses.beginDeleteAndWait(names.group, names.address, lookAgain))
  azure.addresses.delete((loose?.id ?? '').toLowerCase())
  return addressesOf(azure, held)
}

/** Puts an address in the place of the one that a machine has. */
function attach({ network }: Azure, nic: NetworkInterface, { id = '' }: PublicIPAddress): Promise<NetworkInterface> {
  const publicIPAddress = { id, deleteOption: 'Detach' }
  return put(network, nic, (one) => ({ ...one, publicIPAddress }))
}

/** Takes an address away from the machine that has it. */
async function detach({ network }: Azure, { ipConfiguration }: PublicIPAddress): Promise<void> {
  const [, id] = /^(.*\/networkInterfaces\/[^/]+)\/ipConfigurations\//i.exec(ipConfiguration?.id ?? '') ?? []
  const nic =
    id === undefined ? undefined : await found(() => network.networkInterfaces.get(groupName(id), lastName(id)))
  if (nic) await put(network, nic, ({ publicIPAddress: _, ...one }) => one)
}

type Configuration = NonNullable<NetworkInterface['ipConfigurations']>[number]

/** What is Azure's own to say of an interface is left out. */
function put(
  network: Azure['network'],
  nic: NetworkInterface,
  change: (one: Configuration) => Configuration,
): Promise<NetworkInterface> {
  const { id = '', location = '', tags = {}, networkSecurityGroup, ipConfigurations = [] } = nic
  const wanted: NetworkInterface = {
    location,
    tags,
    ...(networkSecurityGroup?.id !== undefined && { networkSecurityGroup: { id: networkSecurityGroup.id } }),
    ipConfigurations: ipConfigurations.map((one) => (one.primary ? change(bare(one)) : bare(one))),
  }
  return network.networkInterfaces.beginCreateOrUpdateAndWait(groupName(id), lastName(id), wanted, lookAgain)
}

function bare(one: Configuration): Configuration {
  const { name, primary, privateIPAllocationMethod, privateIPAddressVersion, subnet, publicIPAddress } = one
  const groups = one.applicationSecurityGroups?.map(({ id }) => ({ ...(id !== undefined && { id }) }))
  return {
    ...(name !== undefined && { name }),
    ...(primary !== undefined && { primary }),
    ...(privateIPAllocationMethod !== undefined && { privateIPAllocationMethod }),
    ...(privateIPAddressVersion !== undefined && { privateIPAddressVersion }),
    ...(subnet?.id !== undefined && { subnet: { id: subnet.id } }),
    ...(publicIPAddress?.id !== undefined && { publicIPAddress: { id: publicIPAddress.id, deleteOption: 'Delete' } }),
    ...(groups && { applicationSecurityGroups: groups }),
  }
}
