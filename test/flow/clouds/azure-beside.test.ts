import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { FirewallRule } from '../../../src/model/firewall.ts'
import type { Provider } from '../../../src/providers/contract.ts'
import { type AzureCloud, startAzureCloud } from '../../clouds/azure/azure-cloud.ts'
import { connectTo } from '../../clouds/azure/connect.ts'
import type { Resource } from '../../clouds/azure/world.ts'
import { clear, counts, make, owner } from './azure-box.ts'

let cloud: AzureCloud
let provider: Provider

beforeEach(async () => {
  cloud = await startAzureCloud()
  provider = await connectTo(cloud)
})

afterEach(() => cloud.close())

/** Something that somebody else made. */
function stranger(group: string, type: string, name: string, properties: Record<string, unknown> = {}): Resource {
  const id = `/subscriptions/${cloud.settings.subscription}/resourceGroups/${group}/providers/${type}/${name}`
  const resource: Resource = {
    ...{ id, type, name, group, location: cloud.settings.region, tags: { owner: 'them' }, etag: 'W/"theirs"' },
    ...{ properties, state: 'Succeeded' },
  }
  cloud.world.put(resource)
  return resource
}

function groupOf(name: string): void {
  cloud.world.groups.set(name, { name, location: cloud.settings.region, tags: {}, state: 'Succeeded' })
}

describe('azure: beside others', () => {
  test("in a given resource group: others' resources stay as they are, and so does the group", async () => {
    groupOf('theirs')
    const network = stranger('theirs', 'Microsoft.Network/virtualNetworks', 'office', {
      addressSpace: { addressPrefixes: ['10.1.0.0/16'] },
      subnets: [{ name: 'desks', properties: { addressPrefix: '10.1.1.0/24' } }],
    })
    const security = stranger('theirs', 'Microsoft.Network/networkSecurityGroups', 'office', { securityRules: [] })
    const before = JSON.stringify([network, security])
    const settings = { resourceGroup: 'theirs', subnet: `${network.id}/subnets/desks`, securityGroup: security.id }
    provider = await connectTo(cloud, 'ins_one', settings)
    expect((await provider.test()).filter(({ ok }) => !ok)).toEqual([])
    const machine = await make(provider)
    expect(machine.addresses).toContainEqual({ address: '10.1.1.4', family: 4, scope: 'private', network: 'office' })
    await provider.secure?.(owner, { web: [] })
    expect(counts(cloud)).toMatchObject({ networkSecurityGroups: 1, virtualNetworks: 1 })
    await clear(provider)
    expect(JSON.stringify([network, security])).toBe(before)
    expect(counts(cloud)).toEqual({ virtualNetworks: 1, networkSecurityGroups: 1 })
    expect([...cloud.world.groups.keys()]).toEqual(['theirs'])
  })

  test('what the settings name and is not there is said by the check', async () => {
    const base = `/subscriptions/${cloud.settings.subscription}/resourceGroups/gone/providers/Microsoft.Network`
    const settings = {
      resourceGroup: 'gone',
      subnet: `${base}/virtualNetworks/a/subnets/b`,
      securityGroup: `${base}/networkSecurityGroups/c`,
    }
    const findings = await (await connectTo(cloud, 'ins_one', settings)).test()
    expect(findings.filter(({ ok }) => !ok).map(({ detail }) => detail)).toEqual([
      'gone does not exist',
      `${settings.subnet} does not exist`,
      `${settings.securityGroup} does not exist`,
    ])
  })

  test('two installations in one resource group, with deployments of the same name', async () => {
    groupOf('both')
    const one = await connectTo(cloud, 'ins_one', { resourceGroup: 'both' })
    const two = await connectTo(cloud, 'ins_two', { resourceGroup: 'both' })
    await make(one)
    const theirs = counts(cloud)
    const machine = await two.createMachine(
      {
        ...{ name: 'web-1', component: 'web', authorizedKeys: [], hostKey: { privateKey: '', publicKey: '' } },
        spec: await two.resolve({ cpu: 1, memory: 2 ** 29, image: 'debian-13' }, { ordinal: 1 }),
      },
      { token: 'mac_two', tags: { installation: 'ins_two', deployment: owner.deployment, machine: 'mac_two' } },
    )
    expect(await one.getMachine(machine.id)).toBeUndefined()
    await one.destroyMachine(machine.id)
    expect((await two.getMachine(machine.id))?.status).toBe('running')
    await two.destroyMachine(machine.id)
    await two.release?.({ ...owner, installation: 'ins_two' })
    expect(counts(cloud)).toEqual(theirs)
    expect(await two.residue?.('ins_two')).toEqual([])
    await clear(one)
    expect(counts(cloud)).toEqual({})
  })

  test('somebody put something into our own group: it stays, and so does the group', async () => {
    await make(provider)
    stranger('kitbag-ins_one-dep_one', 'Microsoft.Network/publicIPAddresses', 'theirs')
    await clear(provider)
    expect(counts(cloud)).toEqual({ publicIPAddresses: 1 })
    expect([...cloud.world.groups.keys()]).toEqual(['kitbag-ins_one-dep_one'])
  })

  test('somebody uses our network: its removal is refused by name, and done once they are gone', async () => {
    await make(provider)
    const [network] = cloud.world.list('Microsoft.Network/virtualNetworks')
    const subnet = { id: `${network?.id}/subnets/machines` }
    const configuration = { name: 'primary', properties: { subnet, privateIPAddress: '10.111.9.9' } }
    groupOf('elsewhere')
    const nic = stranger('elsewhere', 'Microsoft.Network/networkInterfaces', 'theirs', {
      ipConfigurations: [configuration],
    })
    const refused = clear(provider)
    await expect(refused).rejects.toMatchObject({
      code: 'provider-failed',
      retryable: false,
      message: /InUseSubnetCannotBeDeleted: .*in use by .*networkInterfaces\/theirs/,
    })
    expect(cloud.world.find(nic.id)).toBe(nic)
    cloud.world.remove(nic.id)
    await provider.release?.(owner)
    expect(counts(cloud)).toEqual({})
  })

  test('a deployment that still has machines is not released', async () => {
    const { name } = await make(provider)
    const before = counts(cloud)
    await expect(provider.release?.(owner)).rejects.toMatchObject({
      message: expect.stringContaining(`still has machines: ${name}`),
    })
    expect(counts(cloud)).toEqual(before)
    await clear(provider)
  })
})

describe("azure: a component's firewall", () => {
  const firewall: Record<string, FirewallRule[]> = {
    web: [
      { protocol: 'tcp', from: 22, to: 22, sources: [{ network: '198.51.100.7/32' }, { network: '2001:db8::1/128' }] },
      { protocol: 'tcp', from: 8080, to: 8081, sources: [{ component: 'loadBalancer' }] },
    ],
    loadBalancer: [{ protocol: 'udp', from: 53, to: 53, sources: [{ network: '0.0.0.0/0' }, { component: 'web' }] }],
  }
  const rulesOf = (component: string) => {
    const group = cloud.world
      .list('Microsoft.Network/networkSecurityGroups')
      .find(({ name }) => name.endsWith(`-${component}`))
    const rules = (group?.properties.securityRules ?? []) as { name: string; properties: Record<string, unknown> }[]
    return rules.map(
      ({
        properties: { access, protocol, destinationPortRange, sourceAddressPrefixes, sourceApplicationSecurityGroups },
      }) => [
        ...[access, protocol, destinationPortRange],
        sourceAddressPrefixes ??
          (sourceApplicationSecurityGroups as { id: string }[] | undefined)?.map(({ id }) => id.replace(/.*-/, '')),
      ],
    )
  }

  afterEach(() => clear(provider))

  test('lets in what is declared, and nothing else, from the same network either', async () => {
    await provider.secure?.(owner, firewall)
    expect(rulesOf('web')).toEqual([
      ['Allow', 'Tcp', '22', ['198.51.100.7/32']],
      ['Allow', 'Tcp', '22', ['2001:db8::1/128']],
      ['Allow', 'Tcp', '8080-8081', ['loadBalancer']],
      ['Deny', '*', '*', undefined],
    ])
    expect(rulesOf('loadBalancer')).toEqual([
      ['Allow', 'Udp', '53', ['0.0.0.0/0']],
      ['Allow', 'Udp', '53', ['web']],
      ['Deny', '*', '*', undefined],
    ])
    await make(provider)
    const [nic] = cloud.world.list('Microsoft.Network/networkInterfaces')
    expect(JSON.stringify(nic?.properties.networkSecurityGroup)).toMatch(/-web"}$/)
  })

  test('again with the same rules: nothing is written; with others: only what changed', async () => {
    await provider.secure?.(owner, firewall)
    const puts = (since: number) => cloud.requests.slice(since).filter(({ method }) => method === 'PUT')
    let since = cloud.requests.length
    await provider.secure?.(owner, firewall)
    expect(puts(since)).toEqual([])
    since = cloud.requests.length
    await provider.secure?.(owner, { ...firewall, loadBalancer: [] })
    expect(puts(since).map(({ path }) => path.replace(/.*-|\?.*/g, ''))).toHaveLength(1)
    expect(rulesOf('loadBalancer')).toEqual([['Deny', '*', '*', undefined]])
  })
})

describe('azure: addresses', () => {
  afterEach(() => clear(provider))

  test('Kitbag logs in at the public address, or at the private one where that is said', async () => {
    const login = (machine: { addresses: { login?: true; scope: string }[] }) =>
      machine.addresses.filter((one) => one.login)
    expect(login(await make(provider)).map(({ scope }) => scope)).toEqual(['public'])
    const inside = await connectTo(cloud, 'ins_one', { reach: 'private' })
    expect(login(await make(inside, { ordinal: 2 }))).toEqual([])
    const alone = await connectTo(cloud, 'ins_one', { publicAddresses: false })
    expect((await make(alone, { ordinal: 3 })).addresses.map(({ scope }) => scope)).toEqual(['private'])
  })
})
