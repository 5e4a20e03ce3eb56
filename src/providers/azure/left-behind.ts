import type { NetworkInterface, NetworkSecurityGroup } from '@azure/arm-network'
import type { Azure } from './azure.ts'
import { found } from './failures.ts'
import { allOf, type Item } from './inventory.ts'
import { groupName, tagKeys, withoutOurs } from './names.ts'

/** What machines that were let go still use of what a deployment shared: it stays as it is. */
export async function keptFor(azure: Azure, group: string, items: Item[]): Promise<Item[]> {
  const { network, installation } = azure
  if (items.length === 0) return []
  const nics = await allOf<NetworkInterface>(network.networkInterfaces.list(group))
  const free = nics.filter(
    ({ tags, virtualMachine }) => virtualMachine && tags?.[tagKeys.installation] !== installation,
  )
  const used = new Set(free.flatMap(usedBy).map((id) => id.toLowerCase()))
  const isUsed = ({ id }: Item) => used.has(id.toLowerCase())
  for (const { name } of items.filter((item) => item.kind === 'securityGroup' && isUsed(item))) {
    const rules = await found(() => network.networkSecurityGroups.get(group, name))
    for (const id of rules ? namedIn(rules) : []) used.add(id.toLowerCase())
  }
  return items.filter(isUsed)
}

function usedBy({ networkSecurityGroup, ipConfigurations = [] }: NetworkInterface): string[] {
  const ids = ipConfigurations.flatMap(({ subnet, publicIPAddress, applicationSecurityGroups = [] }) => [
    subnet?.id?.replace(/\/subnets\/[^/]+$/i, ''),
    publicIPAddress?.id,
    ...applicationSecurityGroups.map((one) => one.id),
  ])
  return [networkSecurityGroup?.id, ...ids].filter((id) => id !== undefined)
}

/** Whose members a security group lets in. */
function namedIn({ securityRules = [] }: NetworkSecurityGroup): string[] {
  return securityRules.flatMap(({ sourceApplicationSecurityGroups = [] }) =>
    sourceApplicationSecurityGroups.flatMap(({ id }) => id ?? []),
  )
}

/** They are nobody's of Kitbag any more. */
export async function leave({ network }: Azure, items: Item[]): Promise<void> {
  for (const { kind, id, name, tags } of items) {
    const own = [groupName(id), name, { tags: withoutOurs(tags) }] as const
    if (kind === 'network') await network.virtualNetworks.updateTags(...own)
    if (kind === 'securityGroup') await network.networkSecurityGroups.updateTags(...own)
    if (kind === 'applicationGroup') await network.applicationSecurityGroups.updateTags(...own)
    if (kind === 'address') await network.publicIPAddresses.updateTags(...own)
  }
}
