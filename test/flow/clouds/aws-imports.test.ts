import {
  CreateSubnetCommand,
  CreateVpcCommand,
  DescribeInstancesCommand,
  DescribeSecurityGroupsCommand,
  RunInstancesCommand,
} from '@aws-sdk/client-ec2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../../src/model/ids.ts'
import { type Ec2Cloud, startEc2Cloud } from '../../clouds/ec2/ec2-cloud.ts'
import { type AwsConnection, connectAws, make } from './aws-box.ts'

let cloud: Ec2Cloud
let one: AwsConnection

beforeAll(async () => {
  cloud = await startEc2Cloud()
  one = await connectAws(cloud)
})
afterAll(() => cloud?.close())

/** An instance that somebody else made, with a tag of theirs. */
async function theirs(role: string, subnet?: string): Promise<string> {
  const { Instances: [instance] = [] } = await cloud.stranger.send(
    new RunInstancesCommand({
      ImageId: 'ami-0d13000000000001',
      InstanceType: 't3.small',
      MinCount: 1,
      MaxCount: 1,
      ...(subnet !== undefined && { SubnetId: subnet }),
      TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'role', Value: role }] }],
    }),
  )
  return instance?.InstanceId ?? ''
}

async function seen(id: string) {
  const { Reservations } = await cloud.stranger.send(new DescribeInstancesCommand({ InstanceIds: [id] }))
  const instance = Reservations?.[0]?.Instances?.[0]
  const own = instance?.NetworkInterfaces?.flatMap(({ Groups = [] }) => Groups) ?? []
  const groups = [...(instance?.SecurityGroups ?? []), ...own]
  return {
    tags: Object.fromEntries(instance?.Tags?.map(({ Key, Value }) => [Key, Value]) ?? []),
    groups: [...new Set(groups.map(({ GroupName = '' }) => GroupName))].sort(),
  }
}

const ownedBy = (deployment: string) => ({ installation: one.installation, deployment })

describe('aws: instances that somebody else made', () => {
  test('are found by id and by tag, whosever', async () => {
    const [id, twin] = [await theirs('front'), await theirs('front')]
    const { marks } = one.provider
    const [found] = (await marks?.find({ id })) ?? []
    expect(found).toMatchObject({ id, status: 'running', size: 't3.small', user: 'admin', region: 'eu-central-1' })
    const both = (await marks?.find({ tag: { name: 'role', value: 'front' } })) ?? []
    expect(both.map((machine) => machine.id).sort()).toEqual([id, twin].sort())
    expect(await marks?.find({ tag: { name: 'role', value: 'back' } })).toEqual([])
    expect(await marks?.find({ id: '../etc' })).toEqual([])
  })

  test('join the group of their component beside their own, and leave it', async () => {
    const id = await theirs('joins')
    const before = await seen(id)
    const tags = { ...ownedBy(newId('dep')), machine: newId('mac') }
    await one.provider.marks?.put(id, { name: 'web-1', user: 'admin', component: 'web', tags })
    const during = await seen(id)
    expect(during.tags).toMatchObject({ role: 'joins', 'kitbag:imported': 'true', 'kitbag:name': 'web-1' })
    expect(during.groups).toEqual([...before.groups, expect.stringContaining(`${tags.deployment}-web`)])
    await one.provider.letGo(id)
    expect(await seen(id)).toEqual(before)
    await one.provider.release?.(tags)
    expect(await one.provider.residue?.(one.installation)).toEqual([])
  })

  test('say on their console what an older type keeps of its last start, too', async () => {
    const id = await theirs('older')
    cloud.faults([
      { calls: ['GetConsoleOutput'], containing: 'Latest=true', effect: { code: 'UnsupportedOperation', status: 400 } },
    ])
    expect(await one.provider.console?.(id)).toEqual(expect.any(String))
    expect(cloud.trace.at(-1)?.parameters).toMatchObject({ InstanceId: id, Latest: 'false' })
    cloud.faults([])
  })

  test('in another network than the deployment’s are refused by name', async () => {
    const { Vpc } = await cloud.stranger.send(new CreateVpcCommand({ CidrBlock: '10.77.0.0/16' }))
    const { Subnet } = await cloud.stranger.send(
      new CreateSubnetCommand({ VpcId: Vpc?.VpcId ?? '', CidrBlock: '10.77.1.0/24' }),
    )
    const { marks } = one.provider
    const [far, near] = [await theirs('far', Subnet?.SubnetId), await theirs('near')]
    const owner = ownedBy(newId('dep'))
    expect(await marks?.refusal?.(far, owner)).toContain(`it is in the network ${Vpc?.VpcId}`)
    expect(await marks?.refusal?.(near, owner)).toBeUndefined()
  })
})

test('aws: a machine of Kitbag’s that was let go keeps its group and who that lets in; the rest goes', async () => {
  const deployment = newId('dep')
  const owner = ownedBy(deployment)
  const { provider } = one
  const rule = { protocol: 'tcp' as const, from: 5432, to: 5432, sources: [{ component: 'web' }] }
  await provider.secure?.(owner, { db: [rule], web: [], mail: [] })
  const machine = await make(one, { component: 'db', deployment })
  await provider.letGo(machine.id)
  await provider.release?.(owner)
  const { SecurityGroups = [] } = await cloud.stranger.send(new DescribeSecurityGroupsCommand({}))
  const left = SecurityGroups.filter(({ GroupName = '' }) => GroupName.includes(deployment))
  expect(left.map(({ GroupName = '' }) => GroupName.split('-').at(-1)).sort()).toEqual(['db', 'web'])
  expect(left.flatMap(({ Tags = [] }) => Tags.filter(({ Key = '' }) => Key.startsWith('kitbag:')))).toEqual([])
  expect(left.find(({ GroupName = '' }) => GroupName.endsWith('-db'))?.IpPermissions).toHaveLength(1)
  expect(await provider.residue?.(one.installation)).toEqual([])
})
