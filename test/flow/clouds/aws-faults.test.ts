import { DescribeInstancesCommand, RunInstancesCommand } from '@aws-sdk/client-ec2'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { newId } from '../../../src/model/ids.ts'
import { type Ec2Cloud, startEc2Cloud } from '../../clouds/ec2/ec2-cloud.ts'
import { type AwsConnection, connectAws, make } from './aws-box.ts'

describe('aws: what can go wrong', () => {
  let cloud: Ec2Cloud
  let one: AwsConnection
  let deployment: string

  beforeAll(async () => {
    cloud = await startEc2Cloud()
  })
  afterAll(() => cloud?.close())
  beforeEach(async () => {
    one = await connectAws(cloud)
    deployment = newId('dep')
    // What the region offers is known; only what a machine takes goes wrong.
    await one.provider.catalog()
  })
  /** After each: exactly nothing of ours is left. */
  afterEach(async () => {
    cloud.faults([])
    cloud.throttle()
    cloud.lag = 0
    const { installation, provider } = one
    for (const { id } of await provider.listMachines({ tags: { installation } })) await provider.destroyMachine(id)
    await provider.release?.({ installation, deployment })
    expect(await provider.residue?.(installation)).toEqual([])
    expect(cloud.complaints).toEqual([])
  })

  const listed = () => one.provider.listMachines({ tags: { installation: one.installation } })

  test.each(['cut-after', 'truncated', 'html', 'gateway', 'cut-before', 'redirect'] as const)(
    'answers of RunInstances that are lost or no answers (%s): one machine, no second one',
    async (effect) => {
      cloud.faults([{ calls: ['RunInstances'], effect, times: 2 }])
      const made = await make(one, { deployment })
      expect((await listed()).map(({ id }) => id)).toEqual([made.id])
    },
  )

  test('a tenth of all calls takes effect and says nothing: as many machines as were asked for, and all go', async () => {
    cloud.faults([{ effect: 'cut-after', rate: 0.1 }])
    const names = Array.from({ length: 8 }, (_, i) => `web-${i + 1}`)
    const made = await Promise.all(names.map((name, i) => make(one, { deployment, name, ordinal: i + 1 })))
    expect(new Set(made.map(({ id }) => id)).size).toBe(8)
    expect((await listed()).map(({ name }) => name).sort()).toEqual(names)
    await Promise.all(made.map(({ id }) => one.provider.destroyMachine(id)))
    expect(await listed()).toEqual([])
  })

  test('a storm of 503 is waited out, and told only when it does not end', async () => {
    cloud.faults([{ effect: { code: 'RequestLimitExceeded', status: 503 }, times: 6 }])
    expect((await make(one, { deployment })).status).toBe('pending')
  })

  test('quota reached: permanent, named, and nothing of the ones before is touched', async () => {
    const before = [await make(one, { deployment, ordinal: 1 }), await make(one, { deployment, ordinal: 2 })]
    cloud.faults([{ calls: ['RunInstances'], effect: { code: 'VcpuLimitExceeded' } }])
    await expect(make(one, { deployment, ordinal: 3 })).rejects.toMatchObject({
      code: 'capacity-exceeded',
      retryable: false,
      machine: 'web-3',
      message: /limit of vCPUs/,
    })
    expect((await listed()).map(({ id }) => id).sort()).toEqual(before.map(({ id }) => id).sort())
  })

  /** As EC2 says it: with a status that the SDK would try again for. */
  const full = { code: 'InsufficientInstanceCapacity', status: 500 }
  const zoneOf = async (id: string) => {
    const { Reservations } = await cloud.stranger.send(new DescribeInstancesCommand({ InstanceIds: [id] }))
    return Reservations?.[0]?.Instances?.[0]?.Placement?.AvailabilityZone
  }
  const subnetOf = async (zone: string) => {
    const machine = await make(one, { deployment, zones: [zone] })
    const { Reservations } = await cloud.stranger.send(new DescribeInstancesCommand({ InstanceIds: [machine.id] }))
    await one.provider.destroyMachine(machine.id)
    return Reservations?.[0]?.Instances?.[0]?.SubnetId ?? ''
  }

  test('a zone without capacity: the next zone, at once, and the same machine when asked again', async () => {
    const subnet = await subnetOf('eu-central-1a')
    cloud.faults([{ calls: ['RunInstances'], containing: subnet, effect: full }])
    const token = newId('mac')
    const calls = cloud.trace.length
    const made = await make(one, { deployment, token })
    expect(cloud.trace.slice(calls).filter(({ call }) => call === 'RunInstances')).toHaveLength(2)
    expect(await zoneOf(made.id)).toBe('eu-central-1b')
    // The zone has room again, and the first answer was lost in a crash: still no second machine.
    cloud.faults([])
    const again = await connectAws(cloud, { installation: one.installation })
    expect((await make(again, { deployment, token })).id).toBe(made.id)
  })

  test('no capacity in the only zone that is allowed: permanent, and says what to do', async () => {
    cloud.faults([{ calls: ['RunInstances'], effect: full }])
    const attempt = make(one, { deployment, zones: ['eu-central-1c'] })
    await expect(attempt).rejects.toMatchObject({ code: 'capacity-exceeded', retryable: false, fix: /zones/ })
  })

  test('no spot capacity anywhere: on demand', async () => {
    const spot = await connectAws(cloud, { installation: one.installation, settings: { spot: true } })
    cloud.faults([{ calls: ['RunInstances'], containing: 'MarketType=spot', effect: full }])
    const calls = cloud.trace.length
    const made = await make(spot, { deployment })
    const asked = cloud.trace.slice(calls).filter(({ call }) => call === 'RunInstances')
    expect(asked.map(({ parameters }) => parameters['InstanceMarketOptions.MarketType'])).toEqual([
      'spot',
      'spot',
      'spot',
      undefined,
    ])
    expect((await listed()).map(({ id }) => id)).toEqual([made.id])
  })

  test('an instance that is not listed yet is pending, not gone, and is found by its tags', async () => {
    cloud.lag = 1_500
    const made = await make(one, { deployment })
    expect(await one.provider.getMachine(made.id)).toMatchObject({ id: made.id, status: 'pending' })
    expect((await listed()).map(({ id }) => id)).toEqual([made.id])
    await expect.poll(async () => (await one.provider.getMachine(made.id))?.status).toBe('running')
  })

  test.each(['html', 'truncated', 'redirect'] as const)(
    'a list that is no answer (%s) is not an empty one',
    async (effect) => {
      const { id } = await make(one, { deployment })
      cloud.faults([{ calls: ['DescribeInstances'], effect, times: 2 }])
      expect((await one.provider.getMachine(id))?.id).toBe(id)
      cloud.faults([{ calls: ['DescribeInstances'], effect, times: 2 }])
      expect((await listed()).map((machine) => machine.id)).toEqual([id])
    },
  )

  test('one that vanishes is gone, and destroying it succeeds', async () => {
    const { id } = await make(one, { deployment })
    await cloud.vanish(id)
    expect((await one.provider.getMachine(id))?.status ?? 'gone').toBe('gone')
    await one.provider.destroyMachine(id)
  })

  test.each([
    ['AuthFailure', /credentials are refused/],
    ['ExpiredToken', /credentials have expired/],
    ['UnauthorizedOperation', /permission ec2:RunInstances is missing/],
  ])('%s under way: permanent, with a sentence that names it', async (code, message) => {
    cloud.faults([{ calls: ['RunInstances'], effect: { code, status: code === 'AuthFailure' ? 401 : 403 } }])
    const attempt = make(one, { deployment })
    await expect(attempt).rejects.toMatchObject({ code: 'provider-failed', retryable: false, message })
  })

  test('machines of others beside ours are neither seen nor ended', async () => {
    const { Instances } = await cloud.stranger.send(
      new RunInstancesCommand({ ImageId: 'ami-0d13000000000001', InstanceType: 't3.micro', MinCount: 1, MaxCount: 1 }),
    )
    const id = Instances?.[0]?.InstanceId ?? ''
    await make(one, { deployment })
    expect(await one.provider.getMachine(id)).toBeUndefined()
    expect((await listed()).map((machine) => machine.id)).not.toContain(id)
    await expect(one.provider.destroyMachine(id)).rejects.toMatchObject({ code: 'conflict' })
    expect(await zoneOf(id)).toBeDefined()
    const { Reservations } = await cloud.stranger.send(new DescribeInstancesCommand({ InstanceIds: [id] }))
    expect(Reservations?.[0]?.Instances?.[0]?.State?.Name).toBe('running')
  })
})
