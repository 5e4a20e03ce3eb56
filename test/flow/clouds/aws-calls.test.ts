import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ProviderMachine } from '../../../src/providers/contract.ts'
import { credentials, type Ec2Cloud, startEc2Cloud } from '../../clouds/ec2/ec2-cloud.ts'
import { type AwsConnection, connectAws, keys, make } from './aws-box.ts'

const count = 10

describe(`aws: the calls that ${count} machines take`, () => {
  let cloud: Ec2Cloud
  let one: AwsConnection
  let machines: ProviderMachine[]

  beforeAll(async () => {
    cloud = await startEc2Cloud()
    one = await connectAws(cloud)
  })
  afterAll(() => cloud?.close())

  const during = async (work: () => Promise<unknown>) => {
    const from = cloud.trace.length
    await work()
    return cloud.trace.slice(from)
  }
  const names = (calls: { call: string }[]) => [...new Set(calls.map(({ call }) => call))].sort()
  const isRunning = async ({ id }: ProviderMachine) => (await one.provider.getMachine(id))?.status === 'running'

  test('creating: at most four for each, what the region offers included', async () => {
    const calls = await during(async () => {
      const ordinals = Array.from({ length: count }, (_, i) => i + 1)
      machines = await Promise.all(ordinals.map((ordinal) => make(one, { ordinal })))
      expect(await Promise.all(machines.map(isRunning))).toEqual(machines.map(() => true))
    })
    expect(calls.length / count).toBeLessThanOrEqual(4)
    expect(calls.filter(({ call }) => call === 'RunInstances')).toHaveLength(count)
    expect(names(calls)).toEqual([
      'CreateSecurityGroup',
      'DescribeImages',
      'DescribeInstanceTypeOfferings',
      'DescribeInstances',
      'DescribeSecurityGroups',
      'DescribeSubnets',
      'RunInstances',
    ])
  })

  test('what a machine is asked for with: spread over zones, IMDSv2 only, an encrypted disk that goes with it, tags on all', async () => {
    const asked = cloud.trace.filter(({ call }) => call === 'RunInstances').map(({ parameters }) => parameters)
    const subnets = new Map<string, number>()
    for (const one of asked) {
      const subnet = one['NetworkInterface.1.SubnetId'] ?? ''
      subnets.set(subnet, (subnets.get(subnet) ?? 0) + 1)
      expect(one).toMatchObject({
        MinCount: '1',
        MaxCount: '1',
        ClientToken: expect.stringMatching(/^[0-9a-f]{64}$/),
        'MetadataOptions.HttpTokens': 'required',
        'BlockDeviceMapping.1.DeviceName': '/dev/xvda',
        'BlockDeviceMapping.1.Ebs.Encrypted': 'true',
        'BlockDeviceMapping.1.Ebs.DeleteOnTermination': 'true',
        'NetworkInterface.1.DeleteOnTermination': 'true',
      })
      const tagged = [1, 2, 3].map((i) => one[`TagSpecification.${i}.ResourceType`])
      expect(tagged).toEqual(['instance', 'volume', 'network-interface'])
    }
    expect([...subnets.values()].sort()).toEqual([3, 3, 4])
    expect(new Set(asked.map((one) => one.ClientToken)).size).toBe(count)
  })

  test('no secret is in any call but the machine’s own host key, in its own user data', () => {
    for (const { call, parameters } of cloud.trace) {
      const { UserData = '', ...others } = parameters
      const data = Buffer.from(UserData, 'base64').toString('utf8')
      expect(JSON.stringify(others)).not.toContain('PRIVATE KEY')
      expect(JSON.stringify(parameters) + data).not.toContain(credentials.secretAccessKey)
      expect(data.includes(keys.hostKey.privateKey.split('\n')[0] ?? '')).toBe(call === 'RunInstances')
    }
  })

  test('looking at all of them when nothing changes: one call', async () => {
    const calls = await during(() => Promise.all(machines.map(isRunning)))
    expect(names(calls)).toEqual(['DescribeInstances'])
    expect(calls.length).toBe(1)
  })

  test('destroying: at most three for each, groups and residue included', async () => {
    const { provider, installation } = one
    const calls = await during(async () => {
      await Promise.all(machines.map(({ id }) => provider.destroyMachine(id)))
      await provider.release?.({ installation, deployment: 'dep_one' })
    })
    expect(calls.length / count).toBeLessThanOrEqual(3)
    expect(calls.filter(({ call }) => call === 'TerminateInstances')).toHaveLength(count)
    expect(await provider.residue?.(installation)).toEqual([])
  })
})
