import { DescribeInstancesCommand, EC2Client, RunInstancesCommand } from '@aws-sdk/client-ec2'
import { stranger } from '../../clouds/azure/stranger.ts'
import { credentials } from '../../clouds/ec2/ec2-cloud.ts'
import type { MachinesBehind } from '../../clouds/support/machines-behind.ts'
import type { HomeCloud } from '../../support/installation.ts'
import { startAzure } from './azure.ts'
import { startEc2 } from './ec2.ts'
import type { AtEnd } from './guestbook.ts'

/** A test cloud with real machines on which somebody has machines that Kitbag did not make. */
export interface TheirCloud {
  record: HomeCloud
  machines: MachinesBehind
  /** Starts one that lets `publicKey` in, makes its own host keys, and has room for a small application; gives its id. */
  make(name: string, publicKey: string): Promise<string>
  /** Its tags at the cloud. */
  tags(id: string): Promise<Record<string, string>>
  /** Every call that changed something, the oldest first. */
  changes(): string[]
  /** Whether a permission to read consoles is there. */
  consoles(readable: boolean): void
}

/** What somebody gives cloud-init who has never heard of Kitbag. */
const userDataOf = (publicKey: string) => `#cloud-config\n${JSON.stringify({ ssh_authorized_keys: [publicKey] })}\n`

export const theirClouds = {
  async aws(atEnd: AtEnd): Promise<TheirCloud> {
    const { cloud, machines, record } = await startEc2(atEnd)
    const { network, region } = cloud.settings
    const subnet = network?.subnets?.[0] ?? ''
    const owner = new EC2Client({ region, endpoint: cloud.endpoint, credentials })
    atEnd(async () => owner.destroy())
    const refused = { calls: ['GetConsoleOutput'], effect: { code: 'UnauthorizedOperation', status: 403 } }
    return {
      record,
      machines,
      async make(name, publicKey) {
        const { Instances: [instance] = [] } = await owner.send(
          new RunInstancesCommand({
            ImageId: 'ami-0d13000000000001',
            InstanceType: 't3.small',
            MinCount: 1,
            MaxCount: 1,
            NetworkInterfaces: [{ DeviceIndex: 0, SubnetId: subnet }],
            UserData: Buffer.from(userDataOf(publicKey)).toString('base64'),
            TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'Name', Value: name }] }],
          }),
        )
        return instance?.InstanceId ?? ''
      },
      async tags(id) {
        const { Reservations } = await cloud.stranger.send(new DescribeInstancesCommand({ InstanceIds: [id] }))
        const tags = Reservations?.[0]?.Instances?.[0]?.Tags ?? []
        return Object.fromEntries(tags.map(({ Key = '', Value = '' }) => [Key, Value]))
      },
      changes: () => cloud.trace.flatMap(({ call }) => (/^(Describe|Get)/.test(call) ? [] : [call])),
      consoles: (readable) => cloud.faults(readable ? [] : [refused]),
    }
  },
  async azure(atEnd: AtEnd): Promise<TheirCloud> {
    const { cloud, machines, record } = await startAzure(atEnd)
    const them = await stranger(cloud, machines.subnet)
    return {
      record: { ...record, settings: { ...record.settings, subnet: them.subnet } },
      machines,
      make: (name, publicKey) => them.makeMachine({ name, userData: userDataOf(publicKey), publicKey }),
      tags: async (id) => cloud.world.find(id)?.tags ?? {},
      changes: () =>
        cloud.requests.flatMap(({ method, path }) =>
          ['PUT', 'PATCH', 'DELETE'].includes(method) ? [`${method} ${path.match(/Microsoft\.\w+\/(\w+)/)?.[1]}`] : [],
        ),
      consoles(readable) {
        const action = 'Microsoft.Compute/virtualMachines/retrieveBootDiagnosticsData/action'
        cloud.grants.notActions = readable ? [] : [action]
      },
    }
  },
}
