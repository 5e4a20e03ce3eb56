import type { VirtualMachine } from '@azure/arm-compute'
import type { NetworkInterface } from '@azure/arm-network'
import { KitbagError } from '../../model/errors.ts'
import type { FoundMachine, MachineMarks } from '../contract.ts'
import { type Azure, lookAgain } from './azure.ts'
import { during, found } from './failures.ts'
import { allOf } from './inventory.ts'
import { addressesOf, interfaceOf, isImported } from './machines.ts'
import {
  groupName,
  lastName,
  machineId,
  machineTags,
  parseMachineId,
  readTags,
  sameId,
  tagKeys,
  withoutOurs,
} from './names.ts'
import type { Places } from './places.ts'
import { statusOf } from './state.ts'

/** By tags, and the component's application security group beside the machine's own. */
export function marks(azure: Azure, places: Places): MachineMarks {
  const { compute, settings } = azure
  return {
    find: (query) =>
      during('find machines', async () => {
        const vms = await findMachines(azure, query)
        const here = vms.filter(({ location }) => location === settings.region)
        return Promise.all(here.map((vm) => toFound(azure, vm)))
      }),
    refusal: (id, owner) =>
      during(`look at ${id}`, async () => {
        const vm = await theMachine(azure, id)
        const nic = vm && (await interfaceOf(azure, vm))
        if (!nic) return undefined
        // Asked of the settings: looking must not make a network.
        if (settings.subnet === undefined)
          return 'this cloud gives each deployment a network of its own: connect one with subnet= set to a subnet of its network'
        return sameNetwork(nic, settings.subnet)
          ? undefined
          : `it is in another network than ${settings.subnet}, where the machines of ${owner.deployment} are`
      }),
    put: (id, { name, user, component, tags }) =>
      during(`take in ${id}`, async () => {
        const vm = await theMachine(azure, id)
        if (!vm) throw new KitbagError('not-found', `azure: there is no machine ${id} (any more)`)
        const marked = readTags(vm.tags)
        if (marked && marked.machine !== tags.machine)
          throw new KitbagError('conflict', `azure: ${id} was taken in as ${marked.name} just now`)
        const all = { ...vm.tags, ...machineTags(tags, name), [tagKeys.user]: user }
        const group = groupName(vm.id ?? '')
        await compute.virtualMachines.update(group, vm.name ?? '', { tags: all }, lookAgain).pollUntilDone()
        const { groups } = await places.of(tags, component)
        if (groups) await joinGroups(azure, vm, (has) => [...has, groups.application])
      }),
  }
}

/**
 * Takes the tags off the machine and what goes with it. One that somebody else made leaves Kitbag's groups, since it has its own; one that
 * Kitbag made keeps them, and they stay for it.
 */
export async function letGo(azure: Azure, id: string): Promise<void> {
  const { compute, network, installation } = azure
  const names = parseMachineId(azure, id)
  const vm = names && (await theMachine(azure, id))
  if (!names || !vm || readTags(vm.tags)?.installation !== installation) return
  if (isImported(vm)) await leaveGroups(azure, vm)
  const nic = await interfaceOf(azure, vm)
  if (nic && readTags(nic.tags)?.installation === installation)
    await network.networkInterfaces.updateTags(groupName(nic.id ?? ''), nic.name ?? '', { tags: withoutOurs(nic.tags) })
  for (const { publicIPAddress } of nic?.ipConfigurations ?? []) {
    const [group, name] = [groupName(publicIPAddress?.id ?? ''), lastName(publicIPAddress?.id ?? '')]
    const address = name === '' ? undefined : await found(() => network.publicIPAddresses.get(group, name))
    if (address?.tags?.[tagKeys.installation] === installation)
      await network.publicIPAddresses.updateTags(group, name, { tags: withoutOurs(address.tags) })
  }
  // Last, so that what is cut off is found again.
  const tags = withoutOurs(vm.tags)
  await compute.virtualMachines.update(names.group, names.vm, { tags }, lookAgain).pollUntilDone()
}

/** It has its own. */
export function leaveGroups(azure: Azure, vm: VirtualMachine): Promise<void> {
  return joinGroups(azure, vm, (has) => has.filter((id) => !/\/kitbag-[0-9a-f]{12}-[^/]*$/.test(id)))
}

/** Counts a machine among other application security groups, by their ids. */
async function joinGroups(azure: Azure, vm: VirtualMachine, change: (ids: string[]) => string[]): Promise<void> {
  const nic = await interfaceOf(azure, vm)
  const [first] = nic?.ipConfigurations ?? []
  if (!nic || !first) return
  const has = (first.applicationSecurityGroups ?? []).flatMap(({ id }) => id ?? [])
  const wanted = [...new Set(change(has))]
  if (wanted.length === has.length && wanted.every((id) => has.includes(id))) return
  const applicationSecurityGroups = wanted.map((id) => ({ id }))
  const ipConfigurations = nic.ipConfigurations?.map((one) => ({ ...one, applicationSecurityGroups })) ?? []
  const { virtualMachine: _, ...given } = nic
  const { networkInterfaces } = azure.network
  const [group, name] = [groupName(nic.id ?? ''), nic.name ?? '']
  await networkInterfaces.beginCreateOrUpdateAndWait(group, name, { ...given, ipConfigurations }, lookAgain)
}

async function findMachines(azure: Azure, query: Parameters<MachineMarks['find']>[0]): Promise<VirtualMachine[]> {
  const { compute, settings } = azure
  if ('id' in query && query.id.startsWith('/'))
    return [await theMachine(azure, query.id)].filter((vm) => vm !== undefined)
  const { resourceGroup } = settings
  const all = await allOf<VirtualMachine>(
    resourceGroup === undefined ? compute.virtualMachines.listAll() : compute.virtualMachines.list(resourceGroup),
  )
  const wanted = all.filter(({ name, tags }) =>
    'id' in query ? sameId(name, query.id) : tags?.[query.tag.name] === query.tag.value,
  )
  const whole = await Promise.all(wanted.map(({ id = '' }) => theMachine(azure, id)))
  return whole.filter((vm) => vm !== undefined)
}

async function theMachine(azure: Azure, id: string): Promise<VirtualMachine | undefined> {
  const names = parseMachineId(azure, id)
  if (!names) return undefined
  return found(() => azure.compute.virtualMachines.get(names.group, names.vm, { expand: 'instanceView' }))
}

function sameNetwork({ ipConfigurations = [] }: NetworkInterface, subnet: string): boolean {
  const networkOf = (id = '') => id.replace(/\/subnets\/[^/]+$/i, '').toLowerCase()
  return ipConfigurations.some((one) => networkOf(one.subnet?.id) === networkOf(subnet))
}

async function toFound(azure: Azure, vm: VirtualMachine): Promise<FoundMachine> {
  const nic = await interfaceOf(azure, vm)
  const { name: _, ...tags } = readTags(vm.tags) ?? { name: '', installation: '', deployment: '', machine: '' }
  const { publisher, offer, sku, version, id: own } = vm.storageProfile?.imageReference ?? {}
  const size = vm.hardwareProfile?.vmSize
  const image = own ?? (publisher && [publisher, offer, sku, version].join(':'))
  return {
    id: machineId(azure, { group: groupName(vm.id ?? ''), vm: vm.name ?? lastName(vm.id ?? '') }),
    name: vm.name ?? '',
    status: statusOf(vm),
    addresses: nic ? await addressesOf(azure, nic) : [],
    ...(tags.installation !== '' && { tags }),
    ...(size && { size }),
    ...(image && { image }),
    region: azure.settings.region,
    ...(vm.osProfile?.adminUsername && { user: vm.osProfile.adminUsername }),
    ...(vm.zones?.[0] && { zone: vm.zones[0] }),
  }
}
