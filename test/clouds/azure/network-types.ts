import { ArmError, type Json } from './arm-error.ts'
import type { Cloud, PutBody, ResourceType } from './resource-type.ts'
import type { Resource } from './world.ts'

const apiVersions = ['2025-05-01']

/** Takes the time that operations take. */
const passing = async (_resource: Resource, { operationTime }: Cloud) => {
  await new Promise((resolve) => setTimeout(resolve, operationTime))
  return undefined
}

/** A resource that a body refers to must be there, and be ready. */
function referred(id: unknown, cloud: Cloud, from: string): Resource {
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
  properties: { addressPrefix: string }
}

function subnetsOf(network: Resource | undefined): Subnet[] {
  return (network?.properties.subnets ?? []) as Subnet[]
}

export const virtualNetworks: ResourceType = {
  type: 'Microsoft.Network/virtualNetworks',
  apiVersions,
  model: 'VirtualNetwork',
  linked: () => [],
  make({ properties = {} }, before, id, { world }) {
    const prefixes = (properties.addressSpace as { addressPrefixes?: string[] } | undefined)?.addressPrefixes ?? []
    if (prefixes.length === 0) throw new ArmError(400, 'InvalidRequestFormat', 'addressSpace is required')
    const subnets = (properties.subnets ?? []) as Subnet[]
    for (const { name, properties: own } of subnets) {
      const size = Number(own.addressPrefix.split('/')[1])
      if (size > 29) throw new ArmError(400, 'NetcfgInvalidSubnet', `Subnet '${name}' is not valid in virtual network.`)
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
  apiVersions,
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
  apiVersions,
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

export const publicIPAddresses: ResourceType = {
  type: 'Microsoft.Network/publicIPAddresses',
  apiVersions,
  model: 'PublicIPAddress',
  linked: () => [],
  make({ sku, properties = {} }, before, _id, { world }) {
    if (sku?.name !== 'Standard')
      throw new ArmError(400, 'IPv4BasicSkuPublicIpCountLimitReached', 'Basic addresses cannot be created.')
    if (properties.publicIPAllocationMethod !== 'Static')
      throw new ArmError(
        400,
        'StandardSkuPublicIPAddressAllocationMethodMustBeStatic',
        'Standard addresses must be static.',
      )
    const taken = new Set(world.list('Microsoft.Network/publicIPAddresses').map((one) => one.properties.ipAddress))
    let last = 1
    while (taken.has(`203.0.113.${last}`)) last++
    return { ...properties, ipAddress: before?.properties.ipAddress ?? `203.0.113.${last}` }
  },
  created: passing,
  inUse: { status: 400, code: 'PublicIPAddressCannotBeDeleted' },
  view(resource, { world }) {
    const user = world.dependants(resource.id).find(({ type }) => type === networkInterfaces.type)
    const at = user && { ipConfiguration: { id: `${user.id}/ipConfigurations/primary` } }
    const { deleteOption: _, ...own } = resource.properties
    return { ...own, ...at, idleTimeoutInMinutes: 4 }
  },
}

interface IpConfiguration {
  name: string
  properties: Json & {
    subnet?: { id: string }
    publicIPAddress?: { id: string; properties?: { deleteOption?: string } }
    applicationSecurityGroups?: { id: string }[]
    privateIPAddress?: string
  }
}

export function ipConfigurations({ properties }: Pick<Resource, 'properties'> | PutBody): IpConfiguration[] {
  return ((properties as Json | undefined)?.ipConfigurations ?? []) as IpConfiguration[]
}

export const networkInterfaces: ResourceType = {
  type: 'Microsoft.Network/networkInterfaces',
  apiVersions,
  model: 'NetworkInterface',
  linked(body) {
    const group = body.properties?.networkSecurityGroup as { id: string } | undefined
    return [
      ...(group ? [{ id: group.id, action: 'Microsoft.Network/networkSecurityGroups/join/action' }] : []),
      ...ipConfigurations(body).flatMap(
        ({ properties: { subnet, publicIPAddress, applicationSecurityGroups = [] } }) => [
          ...(subnet ? [{ id: subnet.id, action: 'Microsoft.Network/virtualNetworks/subnets/join/action' }] : []),
          ...(publicIPAddress
            ? [{ id: publicIPAddress.id, action: 'Microsoft.Network/publicIPAddresses/join/action' }]
            : []),
          ...applicationSecurityGroups.map(({ id }) => ({
            id,
            action: 'Microsoft.Network/applicationSecurityGroups/joinIpConfiguration/action',
          })),
        ],
      ),
    ]
  },
  make(body, before, id, cloud) {
    const group = body.properties?.networkSecurityGroup as { id: string } | undefined
    if (group) referred(group.id, cloud, id)
    const configurations = ipConfigurations(body).map((configuration, i) => {
      const { subnet, publicIPAddress, applicationSecurityGroups = [] } = configuration.properties
      if (!subnet) throw new ArmError(400, 'SubnetRequired', 'an ip configuration needs a subnet')
      const network = referred(subnet.id, cloud, id)
      for (const one of applicationSecurityGroups) referred(one.id, cloud, id)
      if (publicIPAddress) {
        referred(publicIPAddress.id, cloud, id)
        const other = cloud.world
          .dependants(publicIPAddress.id)
          .find((one) => one.id.toLowerCase() !== id.toLowerCase())
        if (other)
          throw new ArmError(400, 'PublicIPAddressInUse', `${publicIPAddress.id} is already allocated to ${other.id}.`)
      }
      const kept = before && ipConfigurations(before)[i]?.properties.privateIPAddress
      const privateIPAddress = kept ?? freeAddress(network, subnet.id, cloud)
      return { ...configuration, properties: { ...configuration.properties, privateIPAddress } }
    })
    if (configurations.length === 0) throw new ArmError(400, 'InvalidRequestFormat', 'ipConfigurations is required')
    return { ...body.properties, ipConfigurations: configurations }
  },
  created: passing,
  inUse: { status: 400, code: 'NicInUse' },
  holds: ({ type }) => type === 'Microsoft.Compute/virtualMachines',
  view(resource, { world }) {
    const user = world.dependants(resource.id).find(({ type }) => type === 'Microsoft.Compute/virtualMachines')
    return {
      ...resource.properties,
      ...(user && { virtualMachine: { id: user.id } }),
      ipConfigurations: ipConfigurations(resource).map((one) => ({
        ...one,
        id: `${resource.id}/ipConfigurations/${one.name}`,
        etag: resource.etag,
        type: 'Microsoft.Network/networkInterfaces/ipConfigurations',
        properties: { ...one.properties, provisioningState: resource.state },
      })),
      macAddress: '00-0D-3A-00-00-01',
      enableIPForwarding: false,
      nicType: 'Standard',
    }
  },
}

/** The next address of a subnet; Azure keeps the first four and the last. None is used again soon. */
const lastGiven = new WeakMap<Cloud['world'], Map<string, number>>()

function freeAddress(network: Resource, subnetId: string, { world }: Cloud): string {
  const name = subnetId.slice(subnetId.lastIndexOf('/') + 1)
  const { addressPrefix } = subnetsOf(network).find((one) => one.name.toLowerCase() === name.toLowerCase())
    ?.properties ?? {
    addressPrefix: '',
  }
  const [base = '', bits = '24'] = addressPrefix.split('/')
  const first = base.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
  const room = 2 ** (32 - Number(bits)) - 5
  const taken = new Set(
    world
      .list(networkInterfaces.type)
      .flatMap((nic) => ipConfigurations(nic).map((one) => one.properties.privateIPAddress)),
  )
  const given = lastGiven.get(world) ?? new Map<string, number>()
  lastGiven.set(world, given)
  for (let step = 0; step < room; step++) {
    const offset = ((given.get(addressPrefix) ?? -1) + 1) % room
    given.set(addressPrefix, offset)
    const value = first + 4 + offset
    const address = [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')
    if (!taken.has(address)) return address
  }
  throw new ArmError(400, 'SubnetIsFull', `Subnet ${name} with address prefix ${addressPrefix} is full.`)
}
