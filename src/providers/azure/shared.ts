import { KitbagError } from '../../model/errors.ts'
import { type Azure, lookAgain } from './azure.ts'
import { found } from './failures.ts'
import { groupOf, type Owner, ownerTags, ownGroup, ownIpv6, sharedName } from './names.ts'

/** What the machines of a deployment share, as resource ids. */
export interface Shared {
  group: string
  subnet: string
}

/** The resource group and the network of a deployment: the given ones, or own ones, made where they are not. */
export async function ensureShared(azure: Azure, owner: Owner): Promise<Shared> {
  const { settings, network } = azure
  const group = groupOf(azure, owner)
  await ensureGroup(azure, owner)
  if (settings.subnet !== undefined) return { group, subnet: settings.subnet }
  const name = sharedName(owner)
  const known = await found(() => network.virtualNetworks.get(group, name))
  const six = settings.ipv6 ? ownIpv6(owner) : undefined
  const made =
    known ??
    (await network.virtualNetworks.beginCreateOrUpdateAndWait(
      group,
      name,
      {
        location: settings.region,
        tags: ownerTags(owner),
        addressSpace: { addressPrefixes: [settings.addressSpace, ...(six ? [six.network] : [])] },
        subnets: [
          {
            name: 'machines',
            ...(six
              ? { addressPrefixes: [settings.addressSpace, six.subnet] }
              : { addressPrefix: settings.addressSpace }),
          },
        ],
      },
      lookAgain,
    ))
  const subnet = made.subnets?.find((one) => one.name === 'machines')?.id
  if (subnet) return { group, subnet }
  throw new KitbagError('provider-failed', `azure: the network ${name} has no subnet "machines" any more`, {
    fix: 'Put it back, or destroy the deployment.',
  })
}

/** An existing group of that name in another region holds the deployment as well: what is in it has its own region. */
async function ensureGroup({ settings, resources }: Azure, owner: Owner): Promise<void> {
  if (settings.resourceGroup !== undefined) return
  const name = ownGroup(owner)
  if (await found(() => resources.resourceGroups.get(name))) return
  await resources.resourceGroups.createOrUpdate(name, { location: settings.region, tags: ownerTags(owner) })
}
