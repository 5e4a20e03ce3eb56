import type { Azure } from './azure.ts'
import { tagKeys } from './names.ts'

/** What this driver makes, in the order in which it can be removed: nothing needs what comes before it. */
export const kinds = ['machine', 'interface', 'address', 'network', 'securityGroup', 'applicationGroup'] as const
export type Kind = (typeof kinds)[number]

export interface Item {
  kind: Kind
  id: string
  name: string
  tags: Record<string, string>
}

/** Everything that carries an installation's tag, in a group or (undefined) the whole subscription: asked of those who make it, not of an index that is late. */
export async function listOwn(azure: Azure, installation: string, group: string | undefined): Promise<Item[]> {
  const { compute, network } = azure
  const lists = {
    machine: group === undefined ? compute.virtualMachines.listAll() : compute.virtualMachines.list(group),
    interface: group === undefined ? network.networkInterfaces.listAll() : network.networkInterfaces.list(group),
    address: group === undefined ? network.publicIPAddresses.listAll() : network.publicIPAddresses.list(group),
    network: group === undefined ? network.virtualNetworks.listAll() : network.virtualNetworks.list(group),
    securityGroup:
      group === undefined ? network.networkSecurityGroups.listAll() : network.networkSecurityGroups.list(group),
    applicationGroup:
      group === undefined ? network.applicationSecurityGroups.listAll() : network.applicationSecurityGroups.list(group),
  } satisfies Record<Kind, AsyncIterable<{ id?: string; name?: string; tags?: Record<string, string> }>>
  const items = await Promise.all(
    kinds.map(async (kind) => {
      const found = await allOf<{ id?: string; name?: string; tags?: Record<string, string> }>(lists[kind])
      return found.map(({ id = '', name = '', tags = {} }) => ({ kind, id, name, tags }))
    }),
  )
  return items.flat().filter(({ tags }) => tags[tagKeys.installation] === installation)
}

/** Every page; a resource group that does not exist has nothing in it. */
export async function allOf<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  try {
    for await (const item of pages) items.push(item)
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode !== 404) throw error
  }
  return items
}
