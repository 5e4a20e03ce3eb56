import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Provider } from '../../../src/providers/contract.ts'
import { type AzureCloud, startAzureCloud } from '../../clouds/azure/azure-cloud.ts'
import { connectTo } from '../../clouds/azure/connect.ts'
import { clear, counts, make, owner, patiently } from './azure-box.ts'

let cloud: AzureCloud
let provider: Provider

beforeEach(async () => {
  cloud = await startAzureCloud()
  provider = await connectTo(cloud)
})

afterEach(async () => {
  cloud.faults.requests = []
  await clear(provider)
  expect(counts(cloud)).toEqual({})
  expect([...cloud.world.groups.keys()]).toEqual([])
  await cloud.close()
})

const shared = { virtualNetworks: 1, networkSecurityGroups: 1, applicationSecurityGroups: 1 }
const each = (machines: number) => ({
  virtualMachines: machines,
  networkInterfaces: machines,
  publicIPAddresses: machines,
  disks: machines,
  ...shared,
})

describe('azure: calls that go wrong', () => {
  test('one call in ten takes effect and its answer is lost: exactly the machines that were asked for', async () => {
    cloud.faults.requests = [{ effect: 'lost-answer', rate: 0.1 }]
    const tokens = Array.from({ length: 12 }, (_, i) => `mac_${i}`)
    const made = await Promise.all(tokens.map((token, i) => patiently(() => make(provider, { token, ordinal: i + 1 }))))
    expect(new Set(made.map(({ id }) => id)).size).toBe(12)
    expect(counts(cloud)).toEqual(each(12))
  })

  test.each([
    { effect: 'throttled', times: 40 },
    { effect: 'unavailable', times: 40 },
    { effect: 'html', times: 5 },
    { effect: 'truncated', times: 5 },
    { effect: 'redirect', times: 5 },
  ] as const)('a storm of answers that are $effect: one machine once it is over', async ({ effect, times }) => {
    cloud.faults.requests = [{ effect, times }]
    const machine = await patiently(() => make(provider, { token: 'mac_1' }))
    expect(machine.status).toBe('running')
    expect(counts(cloud)).toEqual(each(1))
  })

  test.each([
    ['html', /^localhost:\d+ answered GET .* with text\/html, not JSON$/],
    ['truncated', /^localhost:\d+ answered GET .* with JSON that ends too early$/],
    ['redirect', /^localhost:\d+ answered GET .* with a redirect to https:\/\/localhost:1\/elsewhere$/],
  ] as const)('answers that stay %s are named, and may be tried again', async (effect, message) => {
    cloud.faults.requests = [{ effect }]
    const refused = provider.listMachines({ tags: owner })
    await expect(refused).rejects.toMatchObject({ code: 'provider-failed', retryable: true, message })
  })

  test('a machine that cannot be read yet is waited for, not made again', async () => {
    cloud.faults.requests = [{ effect: 'not-yet', method: 'GET', path: '/virtualMachines/', times: 4 }]
    expect((await make(provider)).status).toBe('running')
    expect(
      cloud.requests.filter(({ method, path }) => method === 'PUT' && path.includes('/virtualMachines/')),
    ).toHaveLength(1)
    expect(counts(cloud)).toEqual(each(1))
  })

  test('a cloud that cannot be reached: may be tried again', async () => {
    cloud.faults.requests = [{ effect: 'refused' }]
    const refused = provider.getMachine(
      `/subscriptions/${cloud.settings.subscription}/resourceGroups/a/providers/Microsoft.Compute/virtualMachines/b`,
    )
    await expect(refused).rejects.toMatchObject({ code: 'provider-failed', retryable: true, message: /socket hang up/ })
  })

  test('a machine that never boots stays pending; one that vanished is gone', async () => {
    cloud.faults.neverBoots = 'web-1'
    const silent = await make(provider)
    expect(silent.status).toBe('pending')
    expect((await provider.getMachine(silent.id))?.status).toBe('pending')
    const other = await make(provider, { ordinal: 2 })
    cloud.world.remove(other.id)
    cloud.world.remove(other.id.replace(/virtualMachines(.*)$/, 'disks$1-disk'))
    expect(await provider.getMachine(other.id)).toBeUndefined()
    expect((await provider.listMachines({ tags: owner })).map(({ name }) => name).sort()).toEqual(['web-1', 'web-2'])
  })
})

describe('azure: no room', () => {
  test('a quota that ends at machine 7 of 10: six machines, the others say so', async () => {
    cloud.quota(12)
    const tries = await Promise.allSettled(
      Array.from({ length: 10 }, (_, i) => make(provider, { ordinal: i + 1, token: `mac_${i}` })),
    )
    const refused = tries.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
    expect(refused).toHaveLength(4)
    for (const error of refused) {
      expect(error).toMatchObject({
        code: 'capacity-exceeded',
        retryable: false,
        message: /Cores quota.*Current Limit: 12/,
      })
    }
    expect(counts(cloud)).toMatchObject({ virtualMachines: 6, disks: 6 })
  })

  test('a full zone: the machine goes to the next one', async () => {
    cloud.faults.fullZones = ['1']
    await make(provider, { ordinal: 1 })
    const [vm] = cloud.world.list('Microsoft.Compute/virtualMachines')
    expect(vm).toMatchObject({ zones: ['2'] })
    expect(counts(cloud)).toEqual(each(1))
  })

  test('a full zone that was asked for: a permanent error that names it', async () => {
    cloud.faults.fullZones = ['2']
    const attempt = make(provider, { zones: ['2'] })
    await expect(attempt).rejects.toMatchObject({
      code: 'capacity-exceeded',
      retryable: false,
      message: /^azure: create web-1 as Standard_B2ts_v2 in zone 2: ZonalAllocationFailed: /,
    })
    expect(counts(cloud)).not.toHaveProperty('virtualMachines')
  })

  test('all zones are full: the next size, where the settings let', async () => {
    cloud.faults.fullSizes = ['Standard_B2ts_v2']
    const lenient = await connectTo(cloud, 'ins_one', { otherSizes: true })
    await expect(make(provider)).rejects.toMatchObject({ code: 'capacity-exceeded' })
    await make(lenient, { ordinal: 2 })
    const [vm] = cloud.world.list('Microsoft.Compute/virtualMachines')
    expect(vm?.properties.hardwareProfile).toEqual({ vmSize: 'Standard_B2als_v2' })
  })

  test('no spot machines: on demand', async () => {
    const spot = await connectTo(cloud, 'ins_one', { spot: true })
    await make(spot, { ordinal: 1 })
    cloud.faults.noSpot = true
    await make(spot, { ordinal: 2 })
    const priorities = cloud.world
      .list('Microsoft.Compute/virtualMachines')
      .map(({ properties }) => properties.priority)
    expect(priorities).toEqual(['Spot', undefined])
  })

  test('a machine that a killed worker left without room makes way for another zone', async () => {
    cloud.faults.fullZones = ['1', '2', '3']
    const pinned = { token: 'mac_1', ordinal: 1 }
    await expect(make(provider, pinned)).rejects.toMatchObject({ code: 'capacity-exceeded' })
    cloud.faults.fullZones = ['1']
    expect((await make(await connectTo(cloud), pinned)).status).toBe('running')
    expect(counts(cloud)).toEqual(each(1))
  })
})

describe('azure: credentials', () => {
  test('are refused mid-way: a permanent error that says so, and nothing was changed', async () => {
    await make(provider)
    const before = counts(cloud)
    cloud.login.expire()
    const attempt = make(provider, { ordinal: 2 })
    await expect(attempt).rejects.toMatchObject({
      code: 'provider-failed',
      retryable: false,
      message: /credentials are not accepted/,
    })
    expect(counts(cloud)).toEqual(before)
    provider = await connectTo(cloud)
  })

  test('wrong ones: the check says so, and a call as well', async () => {
    const wrong = await connectTo(cloud, 'ins_one', {}, { ...cloud.credentials, secret: 'wrong' })
    const findings = await wrong.test()
    expect(findings).toEqual([
      { name: 'credentials', ok: false, detail: expect.stringMatching(/Invalid client secret/) },
    ])
    await expect(wrong.listMachines({ tags: owner })).rejects.toMatchObject({
      retryable: false,
      message: /credentials are not accepted/,
    })
  })

  test('every permission that is lacking is named by the check', async () => {
    const all = await provider.test()
    const role = JSON.parse(all.find(({ name }) => name === 'role definition')?.detail ?? '{}')
    cloud.grants.actions = role.Actions
    expect((await provider.test()).filter(({ ok }) => !ok)).toEqual([])
    for (const action of role.Actions as string[]) {
      cloud.grants.notActions = [action]
      const lacking = (await (await connectTo(cloud)).test()).filter(({ ok }) => !ok).map(({ name }) => name)
      expect(lacking).toContain(action)
    }
    cloud.grants.notActions = []
  })

  test('the role that the check prints is enough for a whole life', async () => {
    const role = (await provider.test()).find(({ name }) => name === 'role definition')
    cloud.grants.actions = JSON.parse(role?.detail ?? '{}').Actions
    await provider.secure?.(owner, { web: [{ protocol: 'tcp', from: 80, to: 80, sources: [{ component: 'web' }] }] })
    const { id } = await make(provider)
    expect(await provider.console?.(id)).toContain('console of')
    await provider.destroyMachine(id)
    await provider.release?.(owner)
    expect(await provider.residue?.('ins_one')).toEqual([])
  })

  test.each([
    'Microsoft.Compute/virtualMachines/write',
    'Microsoft.Network/networkInterfaces/write',
    'Microsoft.Network/networkInterfaces/join/action',
    'Microsoft.Network/virtualNetworks/subnets/join/action',
    'Microsoft.Network/publicIPAddresses/join/action',
    'Microsoft.Network/applicationSecurityGroups/joinIpConfiguration/action',
  ])('a machine without the permission %s: named, with its scope', async (action) => {
    cloud.grants.notActions = [action]
    const error = await make(provider).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'provider-failed', retryable: false })
    expect(error.message).toContain(`the permission ${action} is lacking over /subscriptions/`)
    cloud.grants.notActions = []
  })
})
