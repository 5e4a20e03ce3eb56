import type { Finding } from '../../model/finding.ts'
import type { Azure } from './azure.ts'
import { found, toKitbagError } from './failures.ts'
import { allOf } from './inventory.ts'
import { groupName, lastName } from './names.ts'
import {
  type Grant,
  importActions,
  importRole,
  isGranted,
  listGrants,
  neededActions,
  roleDefinition,
} from './permissions.ts'
import type { Offers } from './resolve.ts'

/** Everything that a deployment needs here, one finding each. Without accepted credentials nothing else is asked. */
export async function findings(azure: Azure, kept: Offers): Promise<Finding[]> {
  const credentials = await finding('credentials', async () => {
    await azure.credential.getToken(`${azure.settings.endpoint}/.default`)
    return 'a token was given'
  })
  if (!credentials.ok) return [credentials]
  const rest = await Promise.all([
    providers(azure),
    permissions(azure),
    sizes(azure, kept),
    images(azure, kept),
    quota(azure),
    given(azure),
  ])
  return [credentials, ...rest.flat()]
}

async function permissions(azure: Azure): Promise<Finding[]> {
  const role = { name: 'role definition', ok: true, detail: roleDefinition(azure) }
  try {
    const grants = await listGrants(azure)
    const each = Object.entries(neededActions(azure)).map(([action, purpose]) => ({
      name: action,
      ok: isGranted(action, grants),
      detail: purpose,
    }))
    return [...each, role, ...importFindings(azure, grants)]
  } catch (error) {
    return [{ name: 'permissions', ok: false, detail: toKitbagError(error, 'permissions').message }, role]
  }
}

/** A deployment works without. */
function importFindings(azure: Azure, grants: Grant[]): Finding[] {
  const actions = Object.entries(importActions(azure))
  if (actions.length === 0) return []
  const each = actions.map(([action, purpose]) => ({
    name: `import: ${action}`,
    ok: true,
    detail: isGranted(action, grants) ? purpose : `${purpose}: not granted, and only cloud import and forget need it`,
  }))
  return [...each, { name: 'role for import', ok: true, detail: importRole(azure) }]
}

function providers({ resources }: Azure): Promise<Finding[]> {
  return Promise.all(
    ['Microsoft.Compute', 'Microsoft.Network'].map((namespace) =>
      finding(`provider ${namespace}`, async () => {
        const { registrationState } = await resources.providers.get(namespace)
        if (registrationState === 'Registered') return 'registered'
        throw new Error(`it is ${registrationState}: az provider register --namespace ${namespace}`)
      }),
    ),
  )
}

function sizes({ settings }: Azure, kept: Offers): Promise<Finding> {
  return finding('sizes', async () => {
    const offers = await kept.offers()
    if (offers.length === 0) throw new Error(`${settings.region} offers none of the sizes that Kitbag knows`)
    if (settings.size !== undefined && !offers.some(({ id }) => id === settings.size))
      throw new Error(`${settings.size} cannot be had in ${settings.region}`)
    return `${offers.length} can be had in ${settings.region}`
  })
}

function images({ settings }: Azure, kept: Offers): Promise<Finding> {
  return finding('images', async () => {
    const own = Object.entries(settings.images).map(([word, { id }]) => `${word} is ${id}`)
    return [`${await kept.image('debian-13')} is the newest in ${settings.region}`, ...own].join('; ')
  })
}

function quota({ compute, settings }: Azure): Promise<Finding> {
  return finding('quota', async () => {
    const usages = await allOf(compute.usage.list(settings.region))
    const cores = usages.find(({ name }) => name?.value === 'cores')
    if (!cores) return 'Azure does not say'
    const left = (cores.limit ?? 0) - (cores.currentValue ?? 0)
    if (left > 0) return `${left} of ${cores.limit} cores are left`
    throw new Error(`all ${cores.limit} cores are used`)
  })
}

/** What the settings name must be there. */
async function given({ settings, resources, network }: Azure): Promise<Finding[]> {
  const { resourceGroup, subnet, securityGroup, region } = settings
  const checks: Promise<Finding>[] = []
  const there = <T extends { location?: string }>(what: string, value: T | undefined): string => {
    if (!value) throw new Error(`${what} does not exist`)
    if (value.location !== undefined && value.location !== region) throw new Error(`${what} is in ${value.location}`)
    return 'is there'
  }
  if (resourceGroup !== undefined)
    checks.push(
      finding(`resource group ${resourceGroup}`, async () => {
        const group = await found(() => resources.resourceGroups.get(resourceGroup))
        return there(resourceGroup, group && {})
      }),
    )
  if (subnet !== undefined)
    checks.push(
      finding('subnet', async () => {
        const name = /virtualNetworks\/([^/]+)/i.exec(subnet)?.[1] ?? ''
        const holder = await found(() => network.virtualNetworks.get(groupName(subnet), name))
        const own = holder?.subnets?.find((one) => one.id?.toLowerCase() === subnet.toLowerCase())
        return there(subnet, own && holder)
      }),
    )
  if (securityGroup !== undefined)
    checks.push(
      finding('security group', async () =>
        there(
          securityGroup,
          await found(() => network.networkSecurityGroups.get(groupName(securityGroup), lastName(securityGroup))),
        ),
      ),
    )
  return Promise.all(checks)
}

async function finding(name: string, check: () => Promise<string>): Promise<Finding> {
  try {
    return { name, ok: true, detail: await check() }
  } catch (error) {
    return { name, ok: false, detail: toKitbagError(error, name).message.replace(`azure: ${name}: `, '') }
  }
}
