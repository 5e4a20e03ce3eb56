import { ArmError, type Json } from './arm-error.ts'
import type { Cloud, ResourceType } from './resource-type.ts'
import type { Resource } from './world.ts'

export const networkVersions = ['2025-05-01']

/** Takes the time that operations take. */
export const passing = async (_resource: Resource, { operationTime }: Cloud) => {
  await new Promise((resolve) => setTimeout(resolve, operationTime))
  return undefined
}

/** A resource that a body refers to must be there, and be ready. */
export function referred(id: unknown, cloud: Cloud, from: string): Resource {
  const text = String(id)
  const [parent = '', ...rest] = text.split(/(?=\/subnets\/)/i)
  const found = cloud.world.find(parent)
  const child = rest.join('')
  const has =
    child === '' || subnetsOf(found).some(({ name }) => child.toLowerCase() === `/subnets/${name}`.toLowerCase())
  if (!found || !has)
    throw new ArmError(
      400,
      'InvalidResourceReference',
      `Resource ${text} referenced by resource ${from} was not found.`,
    )
  if (found.state === 'Updating' || found.state === 'Creating')
    throw new ArmError(429, 'RetryableError', `A retryable error occurred: ${text} is still being updated.`, {
      'retry-after': '1',
    })
  return found
}

interface Subnet {
  name: string
  properties: { addressPrefix?: string; addressPrefixes?: string[] }
}

/** Of one family, `undefined`: it has none. */
export function prefixOf(subnet: Subnet | undefined, family: 4 | 6): string | undefined {
  const { addressPrefix, addressPrefixes = [] } = subnet?.properties ?? {}
  return [addressPrefix ?? [], addressPrefixes].flat().find((one) => one.includes(':') === (family === 6))
}

export function subnetsOf(network: Resource | undefined): Subnet[] {
  return (network?.properties.subnets ?? []) as Subnet[]
}

export const virtualNetworks: ResourceType = {
  type: 'Microsoft.Network/virtualNetworks',
  apiVersions: networkVersions,
  model: 'VirtualNetwork',
  linked: () => [],
  make({ properties = {} }, before, id, { world }) {
    const prefixes = (properties.addressSpace as { addressPrefixes?: string[] } | undefined)?.addressPrefixes ?? []
    if (prefixes.length === 0) throw new ArmError(400, 'InvalidRequestFormat', 'addressSpace is required')
    const subnets = (properties.subnets ?? []) as Subnet[]
    for (const subnet of subnets) {
      const { name } = subnet
      const [four, six] = [prefixOf(subnet, 4), prefixOf(subnet, 6)]
      const isOutside = six !== undefined && !prefixes.some((one) => one.includes(':'))
      if (four === undefined || isOutside || Number(four.split('/')[1]) > 29 || (six && !six.endsWith('/64')))
        throw new ArmError(400, 'NetcfgInvalidSubnet', `Subnet '${name}' is not valid in virtual network.`)
    }
    for (const { name } of subnetsOf(before)) {
      const kept = subnets.some((one) => one.name === name)
      if (!kept && world.dependants(`${id}/subnets/${name}`).length > 0)
        throw new ArmError(400, 'InUseSubnetCannotBeDeleted', `Subnet ${name} is in use and cannot be deleted.`)
    }
    return properties
  },
  created: passing,
  inUse: { status: 400, code: 'InUseSubnetCannotBeDeleted' },
  view: ({ id, properties, etag, state }) => ({
    ...properties,
    subnets: subnetsOf({ properties } as Resource).map((subnet) => ({
      ...subnet,
      id: `${id}/subnets/${subnet.name}`,
      etag,
      properties: { ...subnet.properties, provisioningState: state },
    })),
  }),
}

export const applicationSecurityGroups: ResourceType = {
  type: 'Microsoft.Network/applicationSecurityGroups',
  apiVersions: networkVersions,
  model: 'ApplicationSecurityGroup',
  linked: () => [],
  make: () => ({}),
  created: passing,
  inUse: { status: 400, code: 'ApplicationSecurityGroupInUse' },
  view: () => ({}),
}

interface Rule {
  name: string
  properties: Json & { priority: number; direction: string; sourceApplicationSecurityGroups?: { id: string }[] }
}

export const networkSecurityGroups: ResourceType = {
  type: 'Microsoft.Network/networkSecurityGroups',
  apiVersions: networkVersions,
  model: 'NetworkSecurityGroup',
  linked: ({ properties }) =>
    ((properties?.securityRules ?? []) as Rule[]).flatMap(({ properties: own }) =>
      (own.sourceApplicationSecurityGroups ?? []).map(({ id }) => ({
        id,
        action: 'Microsoft.Network/applicationSecurityGroups/joinNetworkSecurityRule/action',
      })),
    ),
  make({ properties = {} }, _before, id, cloud) {
    const seen = new Set<string>()
    for (const { name, properties: own } of (properties.securityRules ?? []) as Rule[])
      checkRule(name, own, id, cloud, seen)
    return properties
  },
  created: passing,
  inUse: { status: 400, code: 'InUseNetworkSecurityGroupCannotBeDeleted' },
  view: ({ id, properties, etag, state }) => ({
    ...properties,
    securityRules: ((properties.securityRules ?? []) as Rule[]).map((rule) => ({
      ...rule,
      id: `${id}/securityRules/${rule.name}`,
      etag,
      type: 'Microsoft.Network/networkSecurityGroups/securityRules',
      properties: { ...rule.properties, provisioningState: state },
    })),
    defaultSecurityRules: [],
  }),
}

function checkRule(name: string, own: Rule['properties'], id: string, cloud: Cloud, seen: Set<string>): void {
  const refuse = (code: string, message: string): never => {
    throw new ArmError(400, code, `Security rule ${name}: ${message}`)
  }
  const { priority, direction } = own
  if (!(priority >= 100 && priority <= 4096))
    refuse('SecurityRuleInvalidPriority', `the priority ${priority} is not in 100..4096`)
  if (seen.has(`${direction}${priority}`))
    refuse('SecurityRuleConflict', 'another rule has the same priority and direction')
  seen.add(`${direction}${priority}`)
  const prefixes = [own.sourceAddressPrefix, ...((own.sourceAddressPrefixes ?? []) as string[])].filter(
    Boolean,
  ) as string[]
  const groups = own.sourceApplicationSecurityGroups ?? []
  if (prefixes.length > 0 === groups.length > 0)
    refuse('SecurityRuleParameterContainsUnsupportedValue', 'one kind of source is needed')
  if (groups.length > 10) refuse('SecurityRuleTooManyApplicationSecurityGroups', 'more than 10 groups')
  if (prefixes.some((one) => one.includes(':')) && prefixes.some((one) => one.includes('.')))
    refuse('SecurityRuleParameterContainsUnsupportedValue', 'addresses of two families')
  if (own.destinationPortRange === undefined)
    refuse('SecurityRuleParameterContainsUnsupportedValue', 'no destination port')
  for (const { id: group } of groups) referred(group, cloud, id)
}

/** Addresses given out so far: none is given twice. */
const given = new WeakMap<Cloud['world'], number>()

function nextOf(world: Cloud['world']): number {
  const next = (given.get(world) ?? 0) + 1
  given.set(world, next)
  return next
}

export const publicIPAddresses: ResourceType = {
  type: 'Microsoft.Network/publicIPAddresses',
  apiVersions: networkVersions,
  model: 'PublicIPAddress',
  linked: () => [],
  make({ sku, properties = {} }, before, _id, { world, behind }) {
    if (sku?.name !== 'Standard')
      throw new ArmError(400, 'IPv4BasicSkuPublicIpCountLimitReached', 'Basic addresses cannot be created.')
    if (properties.publicIPAllocationMethod !== 'Static')
      throw new ArmError(
        400,
        'StandardSkuPublicIPAddressAllocationMethodMustBeStatic',
        'Standard addresses must be static.',
      )
    const { prefix, prefix6 } = behind?.outside ?? { prefix: '203.0.113.', prefix6: '2001:db8::' }
    const start = properties.publicIPAddressVersion === 'IPv6' ? prefix6 : prefix
    return { ...properties, ipAddress: before?.properties.ipAddress ?? `${start}${nextOf(world)}` }
  },
  created: passing,
  inUse: { status: 400, code: 'PublicIPAddressCannotBeDeleted' },
  view(resource, { world }) {
    const user = world.dependants(resource.id).find(({ type }) => type === 'Microsoft.Network/networkInterfaces')
    const name = resource.properties.publicIPAddressVersion === 'IPv6' ? 'ipv6' : 'primary'
    const at = user && { ipConfiguration: { id: `${user.id}/ipConfigurations/${name}` } }
    const { deleteOption: _, ...own } = resource.properties
    return { ...own, ...at, idleTimeoutInMinutes: 4 }
  },
}
