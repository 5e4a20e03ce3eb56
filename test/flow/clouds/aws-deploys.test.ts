import {
  CreateSecurityGroupCommand,
  CreateVolumeCommand,
  DescribeInstancesCommand,
  DescribeSecurityGroupsCommand,
  DescribeVolumesCommand,
  DescribeVpcsCommand,
  RunInstancesCommand,
  type Tag,
} from '@aws-sdk/client-ec2'
import { unknownKey } from '../../clouds/ec2/access-keys.ts'
import { credentials, startEc2Cloud } from '../../clouds/ec2/ec2-cloud.ts'
import { type CloudUnderFaults, testDeploysUnderFaults } from './deploy-faults.ts'

const zone = 'eu-central-1a'

testDeploysUnderFaults(
  'aws',
  async (): Promise<CloudUnderFaults> => {
    const cloud = await startEc2Cloud()
    const { stranger } = cloud
    await stranger.send(
      new RunInstancesCommand({ ImageId: 'ami-0d13000000000001', InstanceType: 't3.micro', MinCount: 1, MaxCount: 1 }),
    )
    await stranger.send(new CreateVolumeCommand({ AvailabilityZone: zone, Size: 1 }))
    await stranger.send(new CreateSecurityGroupCommand({ GroupName: 'kitbag-theirs', Description: 'theirs' }))

    const everything = async () => {
      const instances = (await stranger.send(new DescribeInstancesCommand({}))).Reservations ?? []
      const living = instances
        .flatMap(({ Instances = [] }) => Instances)
        .filter(({ State }) => State?.Name !== 'terminated')
      const { Volumes = [] } = await stranger.send(new DescribeVolumesCommand({}))
      const { SecurityGroups = [] } = await stranger.send(new DescribeSecurityGroupsCommand({}))
      const { Vpcs = [] } = await stranger.send(new DescribeVpcsCommand({}))
      const word = (tags: Tag[] | undefined, key: string) => tags?.find(({ Key }) => Key === key)?.Value
      const isOurs = ({ Tags }: { Tags?: Tag[] | undefined }) => word(Tags, 'kitbag:installation') !== undefined
      return {
        machines: living.filter(isOurs).map((one) => ({
          id: one.InstanceId ?? '',
          name: word(one.Tags, 'kitbag:name') ?? '',
          zone: one.Placement?.AvailabilityZone,
        })),
        ours: [
          ...living.filter(isOurs).map(({ InstanceId }) => InstanceId ?? ''),
          ...Volumes.filter(isOurs).map(({ VolumeId }) => VolumeId ?? ''),
          ...SecurityGroups.filter(isOurs).map(({ GroupName }) => GroupName ?? ''),
          ...Vpcs.filter(isOurs).map(({ VpcId }) => VpcId ?? ''),
        ],
        theirs: [living, Volumes, SecurityGroups, Vpcs].map((list) => (list as object[]).filter((one) => !isOurs(one))),
      }
    }
    const machines = async () => (await everything()).machines.map(({ name }) => name).sort()

    return {
      record: { provider: 'aws', settings: JSON.parse(JSON.stringify(cloud.settings)), credentials },
      wrong: { accessKeyId: unknownKey, secretAccessKey: 'wrong' },
      machines,
      ours: async () => (await everything()).ours,
      calls: () => cloud.trace.length,
      strangers: async () => (await everything()).theirs,
      shake: () =>
        cloud.faults([
          { effect: 'cut-after', rate: 0.1 },
          { effect: 'html', rate: 0.03 },
          { effect: 'truncated', rate: 0.03 },
          { effect: 'redirect', rate: 0.03 },
        ]),
      limit: () => cloud.faults([{ calls: ['RunInstances'], after: 6, effect: { code: 'VcpuLimitExceeded' } }]),
      async fillZone() {
        const full = { code: 'InsufficientInstanceCapacity', status: 500 }
        cloud.faults([{ calls: ['RunInstances'], containing: await cloud.subnetOf(zone), effect: full }])
        return async () => (await everything()).machines.filter((one) => one.zone === zone).length
      },
      // It runs, says what EC2 keeps of its console, and nobody can log in.
      neverBoots: () => {},
      async vanish(name) {
        for (const one of (await everything()).machines) if (one.name === name) await cloud.vanish(one.id)
      },
      occupy: () => Promise.reject(new Error('excused')),
      expireAfter: (count) => cloud.keys.expireAfter(credentials.accessKeyId, count),
      renew: () => ({ ...credentials, accessKeyId: 'AKIARENEWED' }),
      expired: /^aws: \w+.*: the credentials have expired \(ExpiredToken\)/,
      permissions: {
        create: [
          'ec2:RunInstances',
          'ec2:CreateSecurityGroup',
          'ec2:AuthorizeSecurityGroupIngress',
          'ec2:DescribeImages',
        ],
        destroy: 'ec2:TerminateInstances',
      },
      deny: (permission) =>
        cloud.faults([{ calls: [permission.slice(4)], effect: { code: 'UnauthorizedOperation', status: 403 } }]),
      heal() {
        cloud.faults([])
        cloud.keys.renewAll()
      },
      close: cloud.close,
    }
  },
  { occupied: 'EC2 lets go of interfaces late, so it is told after a minute: aws-storms.test.ts' },
)
