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
import { sleep } from '../../lib/clock.ts'
import { KitbagError } from '../../model/errors.ts'
import type { AwsCloud } from './connection.ts'
import { tolerating } from './groups.ts'
import { untag } from './marks.ts'
import type { Place } from './subnets.ts'
import { type Owner, tagFilters, tagged } from './tags.ts'

/** Zones that a deployment's own network spans at most; the addresses are shared out evenly among as many. */
const mostZones = 8

/** The deployment's own networks: one, unless a call's answer was lost together with AWS's memory of it. */
async function findNetworks({ ec2 }: AwsCloud, owner: Owner): Promise<string[]> {
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
  const { ec2, settings } = cloud
  const name = `kitbag-${owner.deployment}`
  const vpc =
    (await findNetworks(cloud, owner))[0] ??
    (
      await ec2.change(
        new CreateVpcCommand({
          CidrBlock: addresses,
          ...(settings.ipv6 && { AmazonProvidedIpv6CidrBlock: true }),
          TagSpecifications: [tagged('vpc', owner, name)],
        }),
      )
    ).Vpc?.VpcId ??
    ''
  // What groups let out is decided when they are made: by then the network has all its addresses.
  const sixes = settings.ipv6 ? subnets6Of(await ipv6Block(cloud, vpc)) : []
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
            ...(sixes[i] !== undefined && { Ipv6CidrBlock: sixes[i] }),
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
  const has = table?.Routes?.filter(({ GatewayId }) => GatewayId === gateway) ?? []
  const route = { RouteTableId: table?.RouteTableId ?? '', GatewayId: gateway }
  const add = (to: object) => tolerating(cloud, new CreateRouteCommand({ ...route, ...to }), 'RouteAlreadyExists')
  if (!has.some(({ DestinationCidrBlock }) => DestinationCidrBlock)) await add({ DestinationCidrBlock: '0.0.0.0/0' })
  if (cloud.settings.ipv6 && !has.some(({ DestinationIpv6CidrBlock }) => DestinationIpv6CidrBlock))
    await add({ DestinationIpv6CidrBlock: '::/0' })
}

/** Milliseconds for AWS to give a network its IPv6 addresses; it takes some seconds. */
const patience = 60_000

/** The /56 that Amazon has given a network. */
async function ipv6Block({ ec2 }: AwsCloud, vpc: string): Promise<string> {
  for (const end = Date.now() + patience; ; await sleep(500)) {
    const { Vpcs: [found] = [] } = await ec2.send(
      new DescribeVpcsCommand({ Filters: [{ Name: 'vpc-id', Values: [vpc] }] }),
    )
    const own = found?.Ipv6CidrBlockAssociationSet?.find(({ Ipv6CidrBlockState }) => {
      return Ipv6CidrBlockState?.State === 'associated'
    })
    if (own?.Ipv6CidrBlock) return own.Ipv6CidrBlock
    if (Date.now() > end)
      throw new KitbagError('provider-failed', `aws: the network ${vpc} has no IPv6 addresses`, {
        retryable: found === undefined,
        fix: 'Destroy the deployment and deploy it again, or set ipv6 to false.',
      })
  }
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

/** Networks of a /56, as many as zones can be: `2001:db8:0:1200::/56` -> `2001:db8:0:1200::/64`, `2001:db8:0:1201::/64`, ... */
export function subnets6Of(block: string): string[] {
  const [start = ''] = block.split('/')
  const [head = '', tail] = start.split('::')
  const groups = head.split(':')
  const filled = tail === undefined ? groups : [...groups, ...Array.from({ length: 4 }, () => '0')]
  const [a = '0', b = '0', c = '0', d = '0'] = filled
  const first = Number.parseInt(d, 16)
  return Array.from({ length: mostZones }, (_, i) => `${a}:${b}:${c}:${(first + i).toString(16)}::/64`)
}
