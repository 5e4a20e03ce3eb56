import type { VirtualMachine } from '@azure/arm-compute'
import type { NetworkInterface } from '@azure/arm-network'
import { batched } from '../../lib/batched.ts'
import type { Address } from '../../model/machine.ts'
import type { MachineTags, ProviderMachine } from '../contract.ts'
import type { Azure } from './azure.ts'
import { found } from './failures.ts'
import { allOf } from './inventory.ts'
import { groupName, lastName, machineId, namesOf, parseMachineId, readTags, tagKeys } from './names.ts'
import { loginUser } from './start-machine.ts'
import { statusOf } from './state.ts'

/** undefined: no such machine, or somebody else's. */
export async function getMachine(azure: Azure, id: string): Promise<ProviderMachine | undefined> {
  const names = parseMachineId(azure, id)
  if (!names) return undefined
  const { compute, network } = azure
  const [vm, nic] = await Promise.all([
    found(() => compute.virtualMachines.get(names.group, names.vm, { expand: 'instanceView' })),
    found(() => network.networkInterfaces.get(names.group, names.nic)),
  ])
  if (!vm || readTags(vm.tags)?.installation !== azure.installation) return undefined
  return toMachine(azure, vm, isImported(vm) ? await interfaceOf(azure, vm) : nic)
}

/** Whether somebody else made it: only then its marks tell the login user. */
export function isImported({ tags }: VirtualMachine): boolean {
  return tags?.[tagKeys.user] !== undefined
}

/** The first network interface of a machine, whatever it is called. */
export async function interfaceOf({ network }: Azure, vm: VirtualMachine): Promise<NetworkInterface | undefined> {
  const [first] = vm.networkProfile?.networkInterfaces ?? []
  const id = first?.id
  return id === undefined ? undefined : found(() => network.networkInterfaces.get(groupName(id), lastName(id)))
}

/** As many of these as one asks for are read one by one; more of them by lists, whatever their number. */
const few = 4

/** Reads machines for those who ask at the same time. Without the right to list states, each is read by itself. */
export function machineReader(azure: Azure): (id: string) => Promise<ProviderMachine | undefined> {
  return batched(async (ids) => {
    const listed = ids.length > few ? await withState(azure) : new Map<string, ProviderMachine>()
    const found = await Promise.all(
      ids.map(async (id) => [id, listed.get(id.toLowerCase()) ?? (await getMachine(azure, id))] as const),
    )
    return new Map(found.flatMap(([id, machine]) => (machine ? [[id, machine]] : [])))
  })
}

/** The same for the virtual machines themselves, whoever's they are. */
export function vmReader(azure: Azure): (id: string) => Promise<VirtualMachine | undefined> {
  const { compute, settings } = azure
  const { resourceGroup: group } = settings
  return batched(async (ids) => {
    const all =
      group === undefined ? () => compute.virtualMachines.listAll() : () => compute.virtualMachines.list(group)
    const listed = new Map<string, VirtualMachine>()
    if (ids.length > few) for (const vm of await allOf(all())) listed.set((vm.id ?? '').toLowerCase(), vm)
    const found = await Promise.all(
      ids.map(async (id) => [id, listed.get(id.toLowerCase()) ?? (await readVm(azure, id))] as const),
    )
    return new Map(found.flatMap(([id, vm]) => (vm ? [[id, vm]] : [])))
  })
}

async function readVm(azure: Azure, id: string): Promise<VirtualMachine | undefined> {
  const names = parseMachineId(azure, id)
  return names && found(() => azure.compute.virtualMachines.get(names.group, names.vm))
}

/** Machines of this installation by their ids in lower case; those of which no list says how they are, are not among them. */
async function withState(azure: Azure): Promise<Map<string, ProviderMachine>> {
  const { compute, installation } = azure
  const [machines, states] = await Promise.all([
    listMachines(azure, { installation }),
    allOf(compute.virtualMachines.listAll({ statusOnly: 'true' })).catch(orNone),
  ])
  const byId = new Map(machines.map((machine) => [machine.id.toLowerCase(), machine]))
  const found = new Map<string, ProviderMachine>()
  for (const vm of states) {
    const id = (vm.id ?? '').toLowerCase()
    const machine = byId.get(id)
    if (machine && vm.instanceView) found.set(id, { ...machine, status: statusOf(vm) })
  }
  return found
}

/** Rights over a resource group alone are not enough for a list of the subscription. */
function orNone(error: unknown): VirtualMachine[] {
  if ((error as { statusCode?: number }).statusCode === 403) return []
  throw error
}

/** Two or three calls, whatever the number of machines. */
export async function listMachines(
  azure: Azure,
  wanted: Partial<MachineTags> & { installation: string },
): Promise<ProviderMachine[]> {
  const { compute, network, settings } = azure
  // One that somebody else made stays in its own group.
  const group = settings.resourceGroup
  const [vms, nics, addresses] = await Promise.all([
    allOf(group === undefined ? compute.virtualMachines.listAll() : compute.virtualMachines.list(group)),
    allOf(group === undefined ? network.networkInterfaces.listAll() : network.networkInterfaces.list(group)),
    settings.publicAddresses
      ? allOf(group === undefined ? network.publicIPAddresses.listAll() : network.publicIPAddresses.list(group))
      : [],
  ])
  for (const { id = '', ipAddress } of addresses) if (ipAddress) azure.addresses.set(id.toLowerCase(), ipAddress)
  const matches = (tags?: Record<string, string>) => {
    const own = readTags(tags)
    const keys = ['installation', 'deployment', 'machine'] as const
    return own && keys.every((key) => wanted[key] === undefined || own[key] === wanted[key])
  }
  const nicOf = new Map(nics.map((nic) => [(nic.virtualMachine?.id ?? '').toLowerCase(), nic]))
  const made = vms.filter(({ tags }) => matches(tags))
  const started = new Set(made.map(({ tags }) => tags?.[tagKeys.machine]))
  const alone = nics.filter(({ tags, virtualMachine }) => !virtualMachine && matches(tags))
  return Promise.all([
    ...made.map((vm) => toMachine(azure, vm, nicOf.get((vm.id ?? '').toLowerCase()))),
    ...alone.flatMap((nic) => (started.has(nic.tags?.[tagKeys.machine]) ? [] : [unfinished(azure, nic)])),
  ])
}

export async function toMachine(
  azure: Azure,
  vm: VirtualMachine,
  nic: NetworkInterface | undefined,
): Promise<ProviderMachine> {
  const { name = '', ...tags } = readTags(vm.tags) ?? { installation: '', deployment: '', machine: '' }
  const id = machineId(azure, { group: groupName(vm.id ?? ''), vm: vm.name ?? '' })
  const addresses = nic ? await addressesOf(azure, nic) : []
  const size = vm.hardwareProfile?.vmSize
  const login = { user: vm.tags?.[tagKeys.user] ?? loginUser, sshPort: 22 }
  const imported = isImported(vm) ? { imported: true as const } : {}
  return { id, name, tags, status: statusOf(vm), addresses, ...login, ...imported, ...(size !== undefined && { size }) }
}

/** A network interface whose machine was never started: it is found, and destroyed, under the machine's id. */
function unfinished(azure: Azure, nic: NetworkInterface): ProviderMachine {
  const { name = '', ...tags } = readTags(nic.tags) ?? { installation: '', deployment: '', machine: '' }
  const { vm } = namesOf('', (nic.name ?? '').replace(/-nic$/, ''))
  const id = machineId(azure, { group: groupName(nic.id ?? ''), vm })
  return { id, name, tags, status: 'pending', addresses: [], user: loginUser, sshPort: 22 }
}

/** Private and public ones. A public one that did not come with the machine is static. */
export async function addressesOf(azure: Azure, { name, ipConfigurations = [] }: NetworkInterface): Promise<Address[]> {
  const own = namesOf('', (name ?? '').replace(/-nic$/, ''))
  const addresses: Address[] = []
  for (const { privateIPAddress, privateIPAddressVersion, subnet, publicIPAddress } of ipConfigurations) {
    const network = /virtualNetworks\/([^/]+)/i.exec(subnet?.id ?? '')?.[1] ?? ''
    const family = privateIPAddressVersion === 'IPv6' ? 6 : 4
    const login = azure.settings.reach === 'public' && family === 4 ? ({ login: true } as const) : {}
    if (privateIPAddress) addresses.push({ address: privateIPAddress, family, scope: 'private', network })
    const open = publicIPAddress?.id && (await publicAddress(azure, publicIPAddress.id))
    const isOwn = [own.address, own.address6].includes(lastName(publicIPAddress?.id ?? ''))
    const fixed = isOwn ? {} : ({ static: true } as const)
    if (open) addresses.push({ address: open, family, scope: 'public', network: 'internet', ...fixed, ...login })
  }
  return addresses
}

async function publicAddress({ addresses, network }: Azure, id: string): Promise<string | undefined> {
  const known = addresses.get(id.toLowerCase())
  if (known !== undefined) return known
  const answer = await found(() => network.publicIPAddresses.get(groupName(id), lastName(id)))
  if (answer?.ipAddress) addresses.set(id.toLowerCase(), answer.ipAddress)
  return answer?.ipAddress
}
