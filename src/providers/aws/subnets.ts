import { DescribeAvailabilityZonesCommand, DescribeSubnetsCommand } from '@aws-sdk/client-ec2'
import { KitbagError } from '../../model/errors.ts'
import type { Ec2 } from './client.ts'
import type { AwsSettings } from './settings.ts'

/** Where machines can be put. */
export interface Place {
  zone: string
  subnet: string
  vpc: string
}

/** The subnets that the settings name, or the default network's, one for each zone. Throws `not-supported` when there is none. */
export async function findPlaces(ec2: Ec2, { network, region }: AwsSettings): Promise<Place[]> {
  const filters = network.subnets
    ? [{ Name: 'subnet-id', Values: network.subnets }]
    : [network.vpc ? { Name: 'vpc-id', Values: [network.vpc] } : { Name: 'default-for-az', Values: ['true'] }]
  const { Subnets = [] } = await ec2.send(new DescribeSubnetsCommand({ Filters: filters }))
  const vpc = network.vpc
  const places = Subnets.map(({ AvailabilityZone, SubnetId, VpcId }) => ({
    zone: AvailabilityZone ?? '',
    subnet: SubnetId ?? '',
    vpc: VpcId ?? '',
  }))
    .filter((place) => vpc === undefined || place.vpc === vpc)
    .sort((a, b) => a.zone.localeCompare(b.zone) || a.subnet.localeCompare(b.subnet))
  const first = places.filter(({ zone }, i) => places.findIndex((other) => other.zone === zone) === i)
  const vpcs = new Set(first.map((place) => place.vpc))
  if (first.length > 0 && vpcs.size === 1) return first
  const named = network.subnets?.join(', ') ?? network.vpc
  const what = named === undefined ? `${region} has no default network` : `${named} in ${region} has no subnets`
  const found = vpcs.size > 1 ? `${named} are subnets of ${vpcs.size} networks` : what
  throw new KitbagError('not-supported', `aws: ${found}`, {
    fix: "Name subnets of one VPC under network in the cloud's settings, or network.own with addresses.",
  })
}

/** Zones of the region that the account may use. */
export async function findZones(ec2: Ec2): Promise<string[]> {
  const filters = [
    { Name: 'state', Values: ['available'] },
    { Name: 'zone-type', Values: ['availability-zone'] },
  ]
  const { AvailabilityZones = [] } = await ec2.send(new DescribeAvailabilityZonesCommand({ Filters: filters }))
  return AvailabilityZones.flatMap(({ ZoneName }) => ZoneName ?? []).sort()
}
