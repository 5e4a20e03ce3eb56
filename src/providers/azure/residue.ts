import type { Azure } from './azure.ts'
import { type Item, listOwn } from './inventory.ts'
import { groupName, lastName, namesOf, tagKeys } from './names.ts'

/** What carries the installation's tag beyond the machines `known` and what they need. */
export async function residue(azure: Azure, installation: string, known: string[]): Promise<string[]> {
  const { settings, resources } = azure
  const items = await listOwn(azure, installation, settings.resourceGroup)
  const ids = new Set(known.map((id) => id.toLowerCase()))
  const alive = items.filter(({ kind, id }) => kind === 'machine' && ids.has(id.toLowerCase()))
  const deployments = new Set(alive.map(({ tags }) => tags[tagKeys.deployment]))
  const parts = new Set(alive.flatMap(({ id }) => partsOf(id)))
  const isNeeded = ({ id, tags }: Pick<Item, 'id' | 'tags'>) =>
    tags[tagKeys.machine] === undefined ? deployments.has(tags[tagKeys.deployment]) : parts.has(id.toLowerCase())
  const left = items.filter((item) => !isNeeded(item)).map(({ kind, id }) => `${kind} ${id}`)
  if (settings.resourceGroup !== undefined) return left
  const filter = `tagName eq '${tagKeys.installation}' and tagValue eq '${installation}'`
  for await (const { id = '', tags = {} } of resources.resourceGroups.list({ filter })) {
    if (!isNeeded({ id, tags })) left.push(`resource group ${id}`)
  }
  return left
}

/** Resource ids of a machine and of what goes with it, in lower case. */
function partsOf(id: string): string[] {
  const group = groupName(id)
  const { vm, nic, address, address6 } = namesOf(group, lastName(id))
  const base = id.slice(0, id.toLowerCase().indexOf('/providers/'))
  const network = `${base}/providers/Microsoft.Network`
  const parts = [
    `${base}/providers/Microsoft.Compute/virtualMachines/${vm}`,
    `${network}/networkInterfaces/${nic}`,
    `${network}/publicIPAddresses/${address}`,
    `${network}/publicIPAddresses/${address6}`,
  ]
  return parts.map((part) => part.toLowerCase())
}
