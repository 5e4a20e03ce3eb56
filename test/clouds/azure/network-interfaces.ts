import { ArmError, type Json } from './arm-error.ts'
import { networkVersions, passing, prefixOf, referred, subnetsOf } from './network-types.ts'
import type { Cloud, PutBody, ResourceType } from './resource-type.ts'
import type { Resource } from './world.ts'

interface IpConfiguration {
  name: string
  properties: Json & {
    subnet?: { id: string }
    publicIPAddress?: { id: string; properties?: { deleteOption?: string } }
    applicationSecurityGroups?: { id: string }[]
    loadBalancerBackendAddressPools?: { id: string }[]
    privateIPAddress?: string
  }
}

export function ipConfigurations({ properties }: Pick<Resource, 'properties'> | PutBody): IpConfiguration[] {
  return ((properties as Json | undefined)?.ipConfigurations ?? []) as IpConfiguration[]
}

export const networkInterfaces: ResourceType = {
  type: 'Microsoft.Network/networkInterfaces',
  apiVersions: networkVersions,
  model: 'NetworkInterface',
  linked(body) {
    const group = body.properties?.networkSecurityGroup as { id: string } | undefined
    return [
      ...(group ? [{ id: group.id, action: 'Microsoft.Network/networkSecurityGroups/join/action' }] : []),
      ...ipConfigurations(body).flatMap(
        ({
          properties: { subnet, publicIPAddress, applicationSecurityGroups = [], loadBalancerBackendAddressPools = [] },
        }) => [
          ...(subnet ? [{ id: subnet.id, action: 'Microsoft.Network/virtualNetworks/subnets/join/action' }] : []),
          ...(publicIPAddress
            ? [{ id: publicIPAddress.id, action: 'Microsoft.Network/publicIPAddresses/join/action' }]
            : []),
          ...applicationSecurityGroups.map(({ id }) => ({
            id,
            action: 'Microsoft.Network/applicationSecurityGroups/joinIpConfiguration/action',
          })),
          ...loadBalancerBackendAddressPools.map(({ id }) => ({
            id,
            action: 'Microsoft.Network/loadBalancers/backendAddressPools/join/action',
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
      const family = configuration.properties.privateIPAddressVersion === 'IPv6' ? 6 : 4
      if (i === 0 && family === 6)
        throw new ArmError(400, 'Ipv6NotSupportedForPrimaryIpConfiguration', 'the primary configuration is IPv4')
      const version = publicIPAddress && referred(publicIPAddress.id, cloud, id).properties.publicIPAddressVersion
      if (version !== undefined && version !== `IPv${family}`)
        throw new ArmError(400, 'PublicAndPrivateIpAddressVersionMismatch', `${publicIPAddress?.id} is ${version}`)
      const [first] = ipConfigurations(body)
      const groupsOf = (one: IpConfiguration | undefined) =>
        JSON.stringify((one?.properties.applicationSecurityGroups ?? []).map((group) => group.id.toLowerCase()))
      if (groupsOf(first) !== groupsOf(configuration))
        throw new ArmError(400, 'AllIpConfigurationsMustHaveSameApplicationSecurityGroups', 'groups differ')
      const kept = before && ipConfigurations(before)[i]?.properties.privateIPAddress
      const privateIPAddress = kept ?? freeAddress(network, subnet.id, cloud, family)
      return { ...configuration, properties: { ...configuration.properties, privateIPAddress } }
    })
    if (configurations.length === 0) throw new ArmError(400, 'InvalidRequestFormat', 'ipConfigurations is required')
    return { ...body.properties, ipConfigurations: configurations }
  },
  async created(resource, cloud) {
    await publish(cloud)
    return passing(resource, cloud)
  },
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

/** Makes the public addresses of interfaces, as they are now, reach the machines behind. */
export async function publish({ world, behind }: Cloud): Promise<void> {
  const found = world.list(networkInterfaces.type).flatMap((nic) =>
    ipConfigurations(nic).flatMap(({ properties: { privateIPAddress, publicIPAddress } }): [string, string][] => {
      const own = publicIPAddress && world.find(publicIPAddress.id)?.properties.ipAddress
      return privateIPAddress && typeof own === 'string' ? [[own, privateIPAddress]] : []
    }),
  )
  await behind?.outside.publish(new Map(found))
}

/** The next address of a subnet; Azure keeps the first four and the last. None is used again soon. */
const lastGiven = new WeakMap<Cloud['world'], Map<string, number>>()

function freeAddress(network: Resource, subnetId: string, { world }: Cloud, family: 4 | 6): string {
  const name = subnetId.slice(subnetId.lastIndexOf('/') + 1)
  const subnet = subnetsOf(network).find((one) => one.name.toLowerCase() === name.toLowerCase())
  const addressPrefix = prefixOf(subnet, family)
  if (addressPrefix === undefined)
    throw new ArmError(400, 'SubnetHasNoIpv6Prefix', `Subnet ${name} has no address prefix of IPv${family}.`)
  const [base = '', bits = '24'] = addressPrefix.split('/')
  const first = base.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
  const room = family === 6 ? 2 ** 16 : 2 ** (32 - Number(bits)) - 5
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
    if (family === 6) return `${base}${(4 + offset).toString(16)}`
    const value = first + 4 + offset
    const address = [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')
    if (!taken.has(address)) return address
  }
  throw new ArmError(400, 'SubnetIsFull', `Subnet ${name} with address prefix ${addressPrefix} is full.`)
}
