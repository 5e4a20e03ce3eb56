import {
  DescribeInstancesCommand,
  DescribeSecurityGroupsCommand,
  DescribeVpcsCommand,
  type SecurityGroup,
} from '@aws-sdk/client-ec2'
import { credentials, type Ec2Cloud, startEc2Cloud } from '../../clouds/ec2/ec2-cloud.ts'
import type { MachinesBehind } from '../../clouds/support/machines-behind.ts'
import type { HomeCloud } from '../../support/installation.ts'
import type { AtEnd, CloudUnderTest } from './guestbook.ts'

/** The EC2 test cloud with real machines, and what is looked at there. */
export interface Ec2UnderTest extends Pick<Required<CloudUnderTest>, 'firewall' | 'residue'> {
  cloud: Ec2Cloud
  machines: MachinesBehind
  record: HomeCloud
}

/** `open`: with a network for each deployment and public addresses, at which Kitbag logs in; else all is in one private network. */
export async function startEc2(atEnd: AtEnd, { open = false, ipv6 = false } = {}): Promise<Ec2UnderTest> {
  const cloud = await startEc2Cloud({ machines: true })
  atEnd(cloud.close)
  const { machines } = cloud
  if (!machines) throw new Error('the cloud has no machines')
  const outside = open && { network: { own: machines.subnet }, ipv6, publicAddresses: true, reach: 'public' }

  async function groups(): Promise<SecurityGroup[]> {
    const { SecurityGroups = [] } = await cloud.stranger.send(new DescribeSecurityGroupsCommand({}))
    return SecurityGroups.filter(({ GroupName }) => GroupName !== 'default')
  }

  return {
    cloud,
    machines,
    record: { provider: 'aws', settings: JSON.parse(JSON.stringify({ ...cloud.settings, ...outside })), credentials },
    firewall: async () =>
      Object.fromEntries(
        (await groups()).map(({ Tags = [], IpPermissions = [] }) => [
          Tags.find(({ Key }) => Key === 'kitbag:component')?.Value,
          IpPermissions.filter(({ IpProtocol }) => IpProtocol === 'tcp')
            .filter(({ IpRanges = [] }) => IpRanges.some(({ CidrIp }) => CidrIp === '0.0.0.0/0'))
            .map(({ FromPort = 0 }) => FromPort)
            .sort((a, b) => a - b),
        ]),
      ),
    residue: async () => [
      ...(await groups()).map(({ GroupName = '' }) => GroupName),
      ...(await instances(cloud)),
      ...(await networks(cloud)),
      ...(await machines.residue()),
    ],
  }
}

async function instances({ stranger }: Ec2Cloud): Promise<string[]> {
  const { Reservations = [] } = await stranger.send(new DescribeInstancesCommand({}))
  return Reservations.flatMap(({ Instances = [] }) => Instances)
    .filter(({ State }) => State?.Name !== 'terminated')
    .map(({ InstanceId = '' }) => InstanceId)
}

/** Those that a driver made. */
async function networks({ stranger }: Ec2Cloud): Promise<string[]> {
  const Filters = [{ Name: 'tag-key', Values: ['kitbag:installation'] }]
  const { Vpcs = [] } = await stranger.send(new DescribeVpcsCommand({ Filters }))
  return Vpcs.map(({ VpcId = '' }) => VpcId)
}
