import {
  AttachInternetGatewayCommand,
  CreateInternetGatewayCommand,
  CreateRouteCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  DeleteInternetGatewayCommand,
  DeleteSubnetCommand,
  DeleteVpcCommand,
  DescribeInternetGatewaysCommand,
  DescribeRouteTablesCommand,
  DescribeSubnetsCommand,
  DescribeVpcsCommand,
  DetachInternetGatewayCommand,
} from '@aws-sdk/client-ec2'
import type { AwsCloud } from './connection.ts'
import { tolerating } from './groups.ts'
import { untag } from './marks.ts'
import type { Place } from './subnets.ts'
import { type Owner, tagFilters, tagged } from './tags.ts'

/** Zones that a deployment's own network spans at most; the addresses are shared out evenly among as many. */
const mostZones = 8

/** The deployment's own networks: one, unless a call's answer was lost together with AWS's memory of it. */
export async function findNetworks({ ec2 }: AwsCloud, owner: Owner): Promise<string[]> {
  const { Vpcs = [] } = await ec2.send(new DescribeVpcsCommand({ Filters: tagFilters(owner) }))
  return Vpcs.flatMap(({ VpcId }) => VpcId ?? []).sort()
}

/** Makes what is missing of a deployment's own network: VPC, way to the internet, a subnet in each zone. Gives its places. */
export async function ensureNetwork(
  cloud: AwsCloud,
  owner: Owner,
  addresses: string,
  zones: string[],
): Promise<Place[]> {
  const { ec2 } = cloud
  const name = `kitbag-${owner.deployment}`
  const vpc =
    (await findNetworks(cloud, owner))[0] ??
    (await ec2.change(new CreateVpcCommand({ CidrBlock: addresses, TagSpecifications: [tagged('vpc', owner, name)] })))
      .Vpc?.VpcId ??
    ''
  await ensureGateway(cloud, owner, name, vpc)
  const inside = [{ Name: 'vpc-id', Values: [vpc] }]
  const { Subnets = [] } = await ec2.send(new DescribeSubnetsCommand({ Filters: inside }))
  const blocks = subnetsOf(addresses)
  const places: Place[] = []
  for (const [i, zone] of zones.slice(0, mostZones).entries()) {
    const known = Subnets.find(({ AvailabilityZone }) => AvailabilityZone === zone)?.SubnetId
    const tags = [tagged('subnet', owner, `${name}-${zone}`)]
    const subnet =
      known ??
      (
        await ec2.change(
          new CreateSubnetCommand({
            VpcId: vpc,
            AvailabilityZone: zone,
            CidrBlock: blocks[i] ?? '',
            TagSpecifications: tags,
          }),
        )
      ).Subnet?.SubnetId ??
      ''
    places.push({ zone, subnet, vpc })
  }
  return places
}

async function ensureGateway(cloud: AwsCloud, owner: Owner, name: string, vpc: string): Promise<void> {
  const { ec2 } = cloud
  const { InternetGateways = [] } = await ec2.send(new DescribeInternetGatewaysCommand({ Filters: tagFilters(owner) }))
  const attached = InternetGateways.find(({ Attachments }) => Attachments?.some(({ VpcId }) => VpcId === vpc))
  let gateway = (attached ?? InternetGateways[0])?.InternetGatewayId
  if (!gateway) {
    const command = new CreateInternetGatewayCommand({ TagSpecifications: [tagged('internet-gateway', owner, name)] })
    gateway = (await ec2.change(command)).InternetGateway?.InternetGatewayId ?? ''
  }
  const id = { InternetGatewayId: gateway }
  if (!attached)
    await tolerating(cloud, new AttachInternetGatewayCommand({ ...id, VpcId: vpc }), 'Resource.AlreadyAssociated')
  const main = [
    { Name: 'vpc-id', Values: [vpc] },
    { Name: 'association.main', Values: ['true'] },
  ]
  const { RouteTables: [table] = [] } = await ec2.send(new DescribeRouteTablesCommand({ Filters: main }))
  if (table?.Routes?.some(({ GatewayId }) => GatewayId === gateway)) return
  const route = { RouteTableId: table?.RouteTableId ?? '', DestinationCidrBlock: '0.0.0.0/0', GatewayId: gateway }
  await tolerating(cloud, new CreateRouteCommand(route), 'RouteAlreadyExists')
}

/** Of machines that were let go: they are nobody's of Kitbag any more. */
export async function leaveNetworks(cloud: AwsCloud, owner: Owner): Promise<void> {
  const Filters = tagFilters(owner)
  const { InternetGateways = [] } = await cloud.ec2.send(new DescribeInternetGatewaysCommand({ Filters }))
  const { Subnets = [] } = await cloud.ec2.send(new DescribeSubnetsCommand({ Filters }))
  const gateways = InternetGateways.flatMap(({ InternetGatewayId }) => InternetGatewayId ?? [])
  const subnets = Subnets.flatMap(({ SubnetId }) => SubnetId ?? [])
  await untag(cloud, [...gateways, ...subnets, ...(await findNetworks(cloud, owner))])
}

/** Removes a deployment's own networks, from the inside out. Its groups are gone already, its machines terminated. */
export async function removeNetworks(cloud: AwsCloud, owner: Owner): Promise<void> {
  const { ec2 } = cloud
  const { InternetGateways = [] } = await ec2.send(new DescribeInternetGatewaysCommand({ Filters: tagFilters(owner) }))
  for (const { InternetGatewayId = '', Attachments = [] } of InternetGateways) {
    const id = { InternetGatewayId }
    for (const { VpcId = '' } of Attachments)
      await tolerating(cloud, new DetachInternetGatewayCommand({ ...id, VpcId }), 'Gateway.NotAttached')
    await tolerating(cloud, new DeleteInternetGatewayCommand(id), 'InvalidInternetGatewayID.NotFound')
  }
  const { Subnets = [] } = await ec2.send(new DescribeSubnetsCommand({ Filters: tagFilters(owner) }))
  for (const { SubnetId = '' } of Subnets)
    await tolerating(cloud, new DeleteSubnetCommand({ SubnetId }), 'InvalidSubnetID.NotFound')
  for (const VpcId of await findNetworks(cloud, owner))
    await tolerating(cloud, new DeleteVpcCommand({ VpcId }), 'InvalidVpcID.NotFound')
}

/** Equal parts of a network, as many as zones can be: `10.20.0.0/16` -> `10.20.0.0/19`, `10.20.32.0/19`, ... */
export function subnetsOf(addresses: string): string[] {
  const [base = '', length = '16'] = addresses.split('/')
  const bits = Number(length) + Math.log2(mostZones)
  const size = 2 ** (32 - bits)
  const first = base.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
  return Array.from({ length: mostZones }, (_, i) => {
    const value = first + i * size
    return `${[24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')}/${bits}`
  })
}
