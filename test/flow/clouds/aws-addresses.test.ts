import { DescribeAddressesCommand } from '@aws-sdk/client-ec2'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { newId } from '../../../src/model/ids.ts'
import type { ProviderMachine } from '../../../src/providers/contract.ts'
import { type Ec2Cloud, startEc2Cloud } from '../../clouds/ec2/ec2-cloud.ts'
import { until } from '../../support/until.ts'
import { type AwsConnection, connectAws, make } from './aws-box.ts'

let cloud: Ec2Cloud
let one: AwsConnection

beforeAll(async () => {
  cloud = await startEc2Cloud()
  one = await connectAws(cloud)
})
afterAll(() => cloud?.close())
afterEach(async () => {
  cloud.faults([])
  cloud.limitAddresses(Number.POSITIVE_INFINITY)
  const { provider, installation } = one
  const machines = await provider.listMachines({ tags: { installation } })
  for (const { id } of machines) await provider.destroyMachine(id)
  for (const { tags } of machines) await provider.release?.(tags)
  expect(await provider.residue?.(installation)).toEqual([])
  const { Addresses } = await cloud.stranger.send(new DescribeAddressesCommand({}))
  expect(Addresses).toEqual([])
})

async function running(deployment: string, ordinal = 1): Promise<ProviderMachine> {
  const { id } = await make(one, { deployment, component: 'loadBalancer', ordinal })
  const isRunning = async () => (await one.provider.getMachine(id))?.status === 'running'
  await until(isRunning)
  return (await one.provider.getMachine(id)) as ProviderMachine
}
const assign = (deployment: string, name: string, { id }: ProviderMachine) =>
  one.provider.staticAddresses?.assign({ installation: one.installation, deployment }, name, id) ?? Promise.resolve([])

test('three calls and a look at the machine for the first time, two to move it; tags on it', async () => {
  const deployment = newId('dep')
  const [first, second] = [await running(deployment, 1), await running(deployment, 2)]
  const calls = async (work: () => Promise<unknown>) => {
    const from = cloud.trace.length
    await work()
    return cloud.trace.slice(from).map(({ call }) => call)
  }
  expect(await calls(() => assign(deployment, 'load-balancer-1', first))).toEqual([
    'DescribeAddresses',
    'AllocateAddress',
    'AssociateAddress',
    'DescribeInstances',
  ])
  expect(await calls(() => assign(deployment, 'load-balancer-1', second))).toEqual([
    'DescribeAddresses',
    'AssociateAddress',
    'DescribeInstances',
  ])
  const { Addresses: [address] = [] } = await cloud.stranger.send(new DescribeAddressesCommand({}))
  expect(address?.InstanceId).toBe(second.id)
  expect(Object.fromEntries(address?.Tags?.map(({ Key, Value }) => [Key, Value]) ?? [])).toEqual({
    Name: `kitbag-${deployment}-load-balancer-1`,
    'kitbag:installation': one.installation,
    'kitbag:deployment': deployment,
    'kitbag:address': 'load-balancer-1',
  })
})

test('a quota that is used up ends it at once, and names what it is of', async () => {
  const deployment = newId('dep')
  const machine = await running(deployment)
  cloud.limitAddresses(0)
  await expect(assign(deployment, 'load-balancer-1', machine)).rejects.toMatchObject({
    code: 'capacity-exceeded',
    retryable: false,
    message: "aws: AllocateAddress for load-balancer-1: the account's limit of Elastic IPs is reached",
  })
})

test('answers lost under way: one address of the name is used, and the others are given back', async () => {
  const deployment = newId('dep')
  const machine = await running(deployment)
  cloud.faults([{ calls: ['AllocateAddress', 'AssociateAddress', 'ReleaseAddress'], effect: 'cut-after', rate: 0.4 }])
  const given = await assign(deployment, 'load-balancer-1', machine)
  const again = await connectAws(cloud, { installation: one.installation })
  const owner = { installation: one.installation, deployment }
  expect(await again.provider.staticAddresses?.assign(owner, 'load-balancer-1', machine.id)).toEqual(given)
  const { Addresses } = await cloud.stranger.send(new DescribeAddressesCommand({}))
  expect(Addresses).toHaveLength(1)
})

test('what somebody else has beside it stays', async () => {
  const deployment = newId('dep')
  const other = await connectAws(cloud)
  const machine = await running(deployment)
  const theirs = await make(other, { deployment, component: 'loadBalancer' })
  await until(async () => (await other.provider.getMachine(theirs.id))?.status === 'running')
  const owner = { installation: other.installation, deployment }
  await other.provider.staticAddresses?.assign(owner, 'load-balancer-1', theirs.id)
  await assign(deployment, 'load-balancer-1', machine)
  await one.provider.destroyMachine(machine.id)
  await one.provider.release?.({ installation: one.installation, deployment })
  expect(await other.provider.staticAddresses?.list(other.installation)).toHaveLength(1)
  await other.provider.destroyMachine(theirs.id)
  await other.provider.release?.(owner)
})
