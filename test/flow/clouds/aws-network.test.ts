import {
  DescribeInstancesCommand,
  DescribeRouteTablesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeVpcsCommand,
} from '@aws-sdk/client-ec2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FirewallRule } from '../../../src/model/firewall.ts'
import { newId } from '../../../src/model/ids.ts'
import { subnets6Of } from '../../../src/providers/aws/networks.ts'
import { type Ec2Cloud, startEc2Cloud } from '../../clouds/ec2/ec2-cloud.ts'
import { type AwsConnection, connectAws, make } from './aws-box.ts'

const open = (port: number, ...sources: FirewallRule['sources']): FirewallRule => ({
  protocol: 'tcp',
  from: port,
  to: port,
  sources,
})
const everywhere: FirewallRule['sources'] = [{ network: '0.0.0.0/0' }, { network: '::/0' }]
const rules: Record<string, FirewallRule[]> = {
  loadBalancer: [open(80, ...everywhere), open(22, { network: '192.0.2.0/24' })],
  web: [open(8080, { component: 'loadBalancer' }), open(22, { network: '192.0.2.0/24' })],
  db: [open(5432, { component: 'web' })],
}

describe('aws: firewall and network of a deployment', () => {
  let cloud: Ec2Cloud
  let one: AwsConnection

  beforeAll(async () => {
    cloud = await startEc2Cloud()
    one = await connectAws(cloud)
  })
  afterAll(() => cloud?.close())

  /** What may come to a deployment, read from the cloud: component -> `port from whom`. */
  async function wall(deployment: string): Promise<Record<string, string[]>> {
    const Filters = [{ Name: 'tag:kitbag:deployment', Values: [deployment] }]
    const { SecurityGroups = [] } = await cloud.stranger.send(new DescribeSecurityGroupsCommand({ Filters }))
    const component = (tags: { Key?: string | undefined; Value?: string | undefined }[] = []) =>
      tags.find(({ Key }) => Key === 'kitbag:component')?.Value ?? ''
    const names = new Map(SecurityGroups.map(({ GroupId, Tags }) => [GroupId, component(Tags)]))
    return Object.fromEntries(
      SecurityGroups.map(({ Tags, IpPermissions = [] }) => [
        component(Tags),
        IpPermissions.flatMap(({ FromPort, IpRanges = [], Ipv6Ranges = [], UserIdGroupPairs = [] }) =>
          [
            ...IpRanges.map(({ CidrIp }) => CidrIp),
            ...Ipv6Ranges.map(({ CidrIpv6 }) => CidrIpv6),
            ...UserIdGroupPairs.map(({ GroupId }) => names.get(GroupId)),
          ].map((source) => `${FromPort} ${source}`),
        ).sort(),
      ]),
    )
  }
  const rest = async (deployment: string) => {
    const { provider, installation } = one
    for (const { id } of await provider.listMachines({ tags: { installation } })) await provider.destroyMachine(id)
    await provider.release?.({ installation, deployment })
    expect(await provider.residue?.(installation)).toEqual([])
  }

  test('one group for each component, letting in what the rules say; again: nothing to do; changed: the difference', async () => {
    const { provider, installation } = one
    const deployment = newId('dep')
    const owner = { installation, deployment }
    await provider.secure?.(owner, rules)
    const wanted = {
      loadBalancer: ['22 192.0.2.0/24', '80 0.0.0.0/0', '80 ::/0'],
      web: ['22 192.0.2.0/24', '8080 loadBalancer'],
      db: ['5432 web'],
    }
    expect(await wall(deployment)).toEqual(wanted)

    const calls = cloud.trace.length
    await provider.secure?.(owner, rules)
    expect(cloud.trace.slice(calls).filter(({ call }) => !call.startsWith('Describe'))).toEqual([])

    await provider.secure?.(owner, { ...rules, db: [open(5432, { component: 'web' }, { network: '198.51.100.7/32' })] })
    expect(await wall(deployment)).toEqual({ ...wanted, db: ['5432 198.51.100.7/32', '5432 web'] })
    await provider.secure?.(owner, { web: rules.web ?? [], loadBalancer: rules.loadBalancer ?? [] })
    expect(await wall(deployment)).toEqual({ ...wanted, db: [] })
    await rest(deployment)
  })

  test("a machine is in its component's group and in no other, and the group goes after it", async () => {
    const { provider, installation } = one
    const deployment = newId('dep')
    await provider.secure?.({ installation, deployment }, rules)
    const machine = await make(one, { deployment, component: 'web' })
    const { Reservations } = await cloud.stranger.send(new DescribeInstancesCommand({ InstanceIds: [machine.id] }))
    const groups = Reservations?.[0]?.Instances?.[0]?.NetworkInterfaces?.flatMap(({ Groups }) => Groups ?? [])
    expect(groups?.map(({ GroupName }) => GroupName)).toEqual([`kitbag-${installation}-${deployment}-web`])
    await rest(deployment)
    expect(await wall(deployment)).toEqual({})
  })

  test('answers lost under way leave the same walls', async () => {
    const deployment = newId('dep')
    cloud.faults([{ effect: 'cut-after', rate: 0.3 }])
    await one.provider.secure?.({ installation: one.installation, deployment }, rules)
    cloud.faults([])
    expect(Object.keys(await wall(deployment)).sort()).toEqual(['db', 'loadBalancer', 'web'])
    expect((await wall(deployment)).web).toEqual(['22 192.0.2.0/24', '8080 loadBalancer'])
    cloud.faults([{ effect: 'cut-after', rate: 0.3 }])
    await one.provider.release?.({ installation: one.installation, deployment })
    cloud.faults([])
    await rest(deployment)
  })

  test('a network of its own: a subnet in each zone, a way out, and nothing of it when the deployment is gone', async () => {
    const { installation } = one
    const own = await connectAws(cloud, { installation, settings: { network: { own: '10.20.0.0/16' } } })
    const deployment = newId('dep')
    await own.provider.secure?.({ installation, deployment }, rules)
    const machines = [await make(own, { deployment, ordinal: 1 }), await make(own, { deployment, ordinal: 2 })]
    const Filters = [{ Name: 'tag:kitbag:deployment', Values: [deployment] }]
    const { Vpcs = [] } = await cloud.stranger.send(new DescribeVpcsCommand({ Filters }))
    const { Subnets = [] } = await cloud.stranger.send(new DescribeSubnetsCommand({ Filters }))
    expect(Vpcs.map(({ CidrBlock }) => CidrBlock)).toEqual(['10.20.0.0/16'])
    expect(Subnets.map(({ CidrBlock }) => CidrBlock).sort()).toEqual(['10.20.0.0/19', '10.20.32.0/19', '10.20.64.0/19'])
    const found = await Promise.all(machines.map(({ id }) => own.provider.getMachine(id)))
    expect(found.map((one) => one?.addresses[0]?.address).every((address) => address?.startsWith('10.20.'))).toBe(true)
    for (const { id } of machines) await own.provider.destroyMachine(id)
    await own.provider.release?.({ installation, deployment })
    expect((await cloud.stranger.send(new DescribeVpcsCommand({ Filters }))).Vpcs).toEqual([])
    expect(await own.provider.residue?.(installation)).toEqual([])
  })

  test('a network of its own with IPv6: addresses of both families, and a way out for both', async () => {
    const { installation } = one
    const settings = { network: { own: '10.21.0.0/16' }, ipv6: true }
    const own = await connectAws(cloud, { installation, settings })
    const deployment = newId('dep')
    await own.provider.secure?.({ installation, deployment }, rules)
    const { id } = await make(own, { deployment, component: 'loadBalancer' })
    const Filters = [{ Name: 'tag:kitbag:deployment', Values: [deployment] }]
    const { Vpcs: [vpc] = [] } = await cloud.stranger.send(new DescribeVpcsCommand({ Filters }))
    const { Subnets = [] } = await cloud.stranger.send(new DescribeSubnetsCommand({ Filters }))
    const block = vpc?.Ipv6CidrBlockAssociationSet?.[0]?.Ipv6CidrBlock ?? ''
    const given = Subnets.flatMap(({ Ipv6CidrBlockAssociationSet: [six] = [] }) => six?.Ipv6CidrBlock ?? [])
    expect(given.sort()).toEqual(subnets6Of(block).slice(0, 3).sort())
    const inside = [{ Name: 'vpc-id', Values: [vpc?.VpcId ?? ''] }]
    const { RouteTables: [table] = [] } = await cloud.stranger.send(new DescribeRouteTablesCommand({ Filters: inside }))
    expect(table?.Routes?.filter(({ GatewayId }) => GatewayId?.startsWith('igw-'))).toMatchObject([
      { DestinationCidrBlock: '0.0.0.0/0' },
      { DestinationIpv6CidrBlock: '::/0' },
    ])
    await expect
      .poll(async () => (await own.provider.getMachine(id))?.addresses)
      .toMatchObject([
        { family: 4, scope: 'private' },
        { family: 4, scope: 'public', login: true },
        { family: 6, scope: 'public' },
      ])
    expect((await wall(deployment)).loadBalancer).toEqual(['22 192.0.2.0/24', '80 0.0.0.0/0', '80 ::/0'])
    await own.provider.destroyMachine(id)
    await own.provider.release?.({ installation, deployment })
    expect(await own.provider.residue?.(installation)).toEqual([])
  })

  test('reached at public addresses, machines still talk to each other over private ones', async () => {
    const deployment = newId('dep')
    const { id } = await make(one, { deployment })
    await expect
      .poll(async () => (await one.provider.getMachine(id))?.addresses)
      .toMatchObject([{ scope: 'private' }, { scope: 'public', login: true }])
    await rest(deployment)
  })
})
