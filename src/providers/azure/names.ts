import { createHash } from 'node:crypto'
import type { MachineTags } from '../contract.ts'
import type { Azure } from './azure.ts'

export type Owner = Pick<MachineTags, 'installation' | 'deployment'>

/** Tags on everything that this driver makes; `name` on machines. */
export const tagKeys = {
  installation: 'kitbag-installation',
  deployment: 'kitbag-deployment',
  machine: 'kitbag-machine',
  name: 'kitbag-name',
  address: 'kitbag-address',
  /** Login user, on machines that somebody else made. */
  user: 'kitbag-user',
} as const

/** A machine's own resources, named after its token: the same token, the same names. */
export interface MachineNames {
  group: string
  vm: string
  nic: string
  disk: string
  address: string
  /** Of IPv6. */
  address6: string
}

/** Resource group of a deployment: the given one, or one of its own. */
export function groupOf({ settings }: Azure, owner: Owner): string {
  return settings.resourceGroup ?? ownGroup(owner)
}

/** At most 90 characters of those that Azure allows. */
export function ownGroup({ installation, deployment }: Owner): string {
  return `kitbag-${installation}-${deployment}`.replace(/[^\w-]/g, '-').slice(0, 90)
}

/** Of what the machines of a deployment share. Two installations may share a resource group. */
export function sharedName({ installation, deployment }: Owner, part?: string): string {
  const own = `kitbag-${digest(`${installation}/${deployment}`)}`
  return part === undefined ? own : `${own}-${part}`
}

export function machineNames(group: string, name: string, token: string): MachineNames {
  return namesOf(group, `${name.slice(0, 40)}-${digest(token)}`)
}

export function namesOf(group: string, vm: string): MachineNames {
  return { group, vm, nic: `${vm}-nic`, disk: `${vm}-disk`, address: `${vm}-ip`, address6: `${vm}-ip6` }
}

export function machineId({ settings }: Azure, { group, vm }: Pick<MachineNames, 'group' | 'vm'>): string {
  const { subscription } = settings
  return `/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.Compute/virtualMachines/${vm}`
}

/** undefined: no machine of this subscription. Azure's resource ids compare without case. */
export function parseMachineId({ settings }: Azure, id: string): MachineNames | undefined {
  const shape =
    /^\/subscriptions\/([^/]+)\/resourceGroups\/([\w.()-]+)\/providers\/Microsoft\.Compute\/virtualMachines\/([\w-]+)$/i
  const [, subscription = '', group = '', vm = ''] = shape.exec(id) ?? []
  if (vm === '' || subscription.toLowerCase() !== settings.subscription.toLowerCase()) return undefined
  return namesOf(group, vm)
}

export function sameId(one: string | undefined, other: string | undefined): boolean {
  return one?.toLowerCase() === other?.toLowerCase()
}

/** Last part of a resource id. */
export function lastName(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1)
}

export function groupName(id: string): string {
  return /\/resourceGroups\/([^/]+)/i.exec(id)?.[1] ?? ''
}

export function ownerTags({ installation, deployment }: Owner): Record<string, string> {
  return { [tagKeys.installation]: installation, [tagKeys.deployment]: deployment }
}

export function machineTags(tags: MachineTags, name: string): Record<string, string> {
  return { ...ownerTags(tags), [tagKeys.machine]: tags.machine, [tagKeys.name]: name }
}

/** undefined: not a machine of Kitbag's. */
export function readTags(tags: Record<string, string> | undefined): (MachineTags & { name: string }) | undefined {
  const installation = tags?.[tagKeys.installation]
  const deployment = tags?.[tagKeys.deployment]
  const machine = tags?.[tagKeys.machine]
  const name = tags?.[tagKeys.name]
  if (!installation || !deployment || !machine || !name) return undefined
  return { installation, deployment, machine, name }
}

/** Whether something tagged so is that owner's. */
export function isOf(tags: Record<string, string> | undefined, { installation, deployment }: Owner): boolean {
  return tags?.[tagKeys.installation] === installation && tags?.[tagKeys.deployment] === deployment
}

/** Addresses for use inside of a deployment's network alone (RFC 4193), which are nobody else's by chance: a /48, and the one /64 of it. */
export function ownIpv6({ installation, deployment }: Owner): { network: string; subnet: string } {
  const hex = digest(`${installation}/${deployment}/ipv6`)
  const start = `fd${hex.slice(0, 2)}:${hex.slice(2, 6)}:${hex.slice(6, 10)}`
  return { network: `${start}::/48`, subnet: `${start}::/64` }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}

/** What is left of tags without Kitbag's. */
export function withoutOurs(tags: Record<string, string> = {}): Record<string, string> {
  const ours = new Set<string>(Object.values(tagKeys))
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !ours.has(key)))
}
