import {
  CreateNetworkInterfaceCommand,
  DeleteNetworkInterfaceCommand,
  DescribeInstancesCommand,
  DescribeNetworkInterfacesCommand,
} from '@aws-sdk/client-ec2'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sleep } from '../../../src/lib/clock.ts'
import { newId } from '../../../src/model/ids.ts'
import type { Provider } from '../../../src/providers/contract.ts'
import { type Ec2Cloud, startEc2Cloud } from '../../clouds/ec2/ec2-cloud.ts'
import { fastClock } from '../../support/fast-clock.ts'
import { asUnit } from './as-unit.ts'
import { type AwsConnection, connectAws, make } from './aws-box.ts'

const minute = 60_000

describe('aws: what lasts a minute', () => {
  let cloud: Ec2Cloud
  let one: AwsConnection
  let deployment: string
  let restoreClock = () => {}

  beforeAll(async () => {
    cloud = await startEc2Cloud()
  })
  afterAll(() => cloud?.close())
  beforeEach(async () => {
    one = await connectAws(cloud)
    deployment = newId('dep')
    await one.provider.catalog()
    restoreClock = fastClock(20)
  })
  afterEach(async () => {
    cloud.faults([])
    cloud.lag = 0
    restoreClock()
    const { installation, provider } = one
    await provider.release?.({ installation, deployment })
    expect(await living()).toEqual([])
    expect(await provider.residue?.(installation)).toEqual([])
  })

  /** Ours, as EC2 itself has them. */
  async function living(): Promise<string[]> {
    const Filters = [
      { Name: 'tag:kitbag:installation', Values: [one.installation] },
      { Name: 'instance-state-name', Values: ['pending', 'running'] },
    ]
    const { Reservations = [] } = await cloud.stranger.send(new DescribeInstancesCommand({ Filters }))
    return Reservations.flatMap(({ Instances = [] }) => Instances.map(({ InstanceId = '' }) => InstanceId)).sort()
  }
  const untilRunning = async (provider: Provider, id: string) => {
    while ((await provider.getMachine(id))?.status !== 'running') await sleep(1_000)
  }

  test.each(['RequestLimitExceeded', 'Unavailable'])(
    'a storm of 503 %s: five machines are made, and then go, in spite of two of them',
    async (code) => {
      const { provider } = one
      const storm = async () => {
        cloud.faults([{ effect: { code, status: 503 } }])
        await sleep(minute)
        cloud.faults([])
      }
      const ordinals = [1, 2, 3, 4, 5]
      const creating = storm()
      const made = await Promise.all(
        ordinals.map((ordinal) => {
          const token = newId('mac')
          return asUnit('create', async () => {
            const machine = await make(one, { deployment, ordinal, token })
            await untilRunning(provider, machine.id)
            return machine.id
          })
        }),
      )
      await creating
      expect(await living()).toEqual([...made].sort())
      const destroying = storm()
      await Promise.all(made.map((id) => asUnit('destroy', () => provider.destroyMachine(id))))
      await destroying
    },
  )

  test('a group that somebody else uses: waited for, told by name without trying for ever, and removed when they are gone', async () => {
    const { installation, provider } = one
    await provider.secure?.({ installation, deployment }, { web: [] })
    const [group = ''] = (await provider.residue?.(installation)) ?? []
    const [id = ''] = /sg-\w+/.exec(group) ?? []
    const SubnetId = await cloud.subnetOf('eu-central-1a')
    const { NetworkInterface } = await cloud.stranger.send(
      new CreateNetworkInterfaceCommand({ SubnetId, Groups: [id], Description: 'theirs' }),
    )
    const NetworkInterfaceId = NetworkInterface?.NetworkInterfaceId ?? ''
    const refused = provider.release?.({ installation, deployment })
    await expect(refused).rejects.toMatchObject({
      code: 'provider-failed',
      retryable: false,
      message: `aws: the security group ${id} is still used by something else`,
      fix: /destroy again/,
    })
    const ids = { NetworkInterfaceIds: [NetworkInterfaceId] }
    const { NetworkInterfaces } = await cloud.stranger.send(new DescribeNetworkInterfacesCommand(ids))
    expect(NetworkInterfaces?.[0]?.Groups?.map(({ GroupId }) => GroupId)).toEqual([id])
    await cloud.stranger.send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId }))
  })

  test('lists that are a minute behind: a machine is waited for, not made again, and can be destroyed before it is listed', async () => {
    cloud.lag = minute
    const token = newId('mac')
    const began = Date.now()
    const made = await asUnit('create', () => make(one, { deployment, token }))
    const short = await asUnit('create', () => make(one, { deployment, ordinal: 2 }))
    expect((await asUnit('create', () => make(one, { deployment, token }))).id).toBe(made.id)
    // Also whoever takes up from a process that died.
    const next = await connectAws(cloud, { installation: one.installation })
    expect((await asUnit('create', () => make(next, { deployment, token }))).id).toBe(made.id)
    await asUnit('destroy', () => one.provider.destroyMachine(short.id))
    expect(await living()).toEqual([made.id])
    await untilRunning(one.provider, made.id)
    expect(Date.now() - began).toBeGreaterThanOrEqual(minute)
    await asUnit('destroy', () => one.provider.destroyMachine(made.id))
  })
})
