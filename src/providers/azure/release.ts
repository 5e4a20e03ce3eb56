import { KitbagError } from '../../model/errors.ts'
import { type Azure, lookAgain } from './azure.ts'
import { found } from './failures.ts'
import { allOf, type Item, kinds, listOwn } from './inventory.ts'
import { keptFor, leave } from './left-behind.ts'
import { groupName, groupOf, isOf, type Owner } from './names.ts'

/**
 * Removes what the machines of a deployment shared: interfaces and addresses that were left, networks, groups, and an own resource group in
 * which nobody has put anything else. What others made stays, and what it needs is refused by Azure.
 */
export async function release(azure: Azure, owner: Owner): Promise<void> {
  const group = groupOf(azure, owner)
  const items = (await listOwn(azure, owner.installation, group)).filter(({ tags }) => isOf(tags, owner))
  const machines = items.filter(({ kind }) => kind === 'machine')
  if (machines.length > 0) {
    throw new KitbagError(
      'provider-failed',
      `azure: ${group} still has machines: ${machines.map(({ name }) => name).join(', ')}`,
      {
        fix: 'Destroy them first.',
      },
    )
  }
  const kept = await keptFor(azure, group, items)
  await leave(azure, kept)
  const going = items.filter((item) => !kept.includes(item))
  for (const kind of kinds) {
    // One whose removal was not answered is gone when it is removed again.
    await Promise.all(going.filter((item) => item.kind === kind).map((item) => found(() => remove(azure, item))))
  }
  azure.addresses.clear()
  if (azure.settings.resourceGroup !== undefined) return
  if (kept.length === 0) await removeGroup(azure, owner, group)
  else if (isOf((await found(() => azure.resources.resourceGroups.get(group)))?.tags, owner))
    await azure.resources.resourceGroups.update(group, { tags: {} })
}

async function removeGroup({ resources, log }: Azure, owner: Owner, group: string): Promise<void> {
  const known = await found(() => resources.resourceGroups.get(group))
  if (!known || !isOf(known.tags, owner)) return
  for (const { id = '', tags } of await allOf(resources.resources.listByResourceGroup(group))) {
    // The index of a group is late: what was just removed may still be in it.
    if (isOf(tags, owner)) continue
    log('warn', `azure: the resource group ${group} stays: it holds ${id}, which is not Kitbag's`)
    return
  }
  await found(() => resources.resourceGroups.beginDeleteAndWait(group, lookAgain))
}

function remove({ network }: Azure, { kind, id, name }: Item): Promise<void> {
  const group = groupName(id)
  switch (kind) {
    case 'interface':
      return network.networkInterfaces.beginDeleteAndWait(group, name, lookAgain).then(nothing)
    case 'address':
      return network.publicIPAddresses.beginDeleteAndWait(group, name, lookAgain).then(nothing)
    case 'network':
      return network.virtualNetworks.beginDeleteAndWait(group, name, lookAgain).then(nothing)
    case 'securityGroup':
      return network.networkSecurityGroups.beginDeleteAndWait(group, name, lookAgain).then(nothing)
    case 'applicationGroup':
      return network.applicationSecurityGroups.beginDeleteAndWait(group, name, lookAgain).then(nothing)
    case 'machine':
      throw new KitbagError('internal', `azure: ${id} is a machine`)
  }
}

function nothing(): void {}
