import { afterAll, beforeAll, expect, test } from 'vitest'
import type { FirewallRule, Provider, ProviderMachine } from '../../../src/providers/contract.ts'
import { type AzureCloud, startAzureCloud } from '../../clouds/azure/azure-cloud.ts'
import { connectTo } from '../../clouds/azure/connect.ts'
import { until } from '../../support/until.ts'
import { counts, make, owner } from './azure-box.ts'

let cloud: AzureCloud
let deaths = 0

beforeAll(async () => {
  cloud = await startAzureCloud()
})

afterAll(() => cloud.close())

/**
 * Does something as workers do that are killed between a call's effect and its answer: the first after its first call, the next after its
 * second, and so on, until one lives long enough.
 */
async function throughDeaths<T>(
  settings: Record<string, unknown>,
  work: (provider: Provider) => Promise<T>,
): Promise<T> {
  for (let calls = 0; ; calls++) {
    const provider = await connectTo(cloud, 'ins_one', settings)
    const before = cloud.requests.length
    cloud.faults.requests = [{ effect: 'no-answer', after: calls }]
    let ended: { value: T } | { error: unknown } | undefined
    work(provider).then(
      (value) => {
        ended = { value }
      },
      (error) => {
        ended = { error }
      },
    )
    await until(() => ended !== undefined || cloud.requests.length - before > calls)
    await until(() => ended !== undefined || cloud.requests.slice(before).some(({ status }) => status === 0))
    cloud.faults.requests = []
    await cloud.world.settled()
    if (ended && 'error' in ended) throw ended.error
    if (ended) return ended.value
    deaths++
  }
}

const components = ['loadBalancer', 'web', 'db']

test.each([
  ['own groups', {}],
  ['IPv6', { ipv6: true }],
  ['spot, private addresses', { spot: true, publicAddresses: false }],
])('a worker that is killed after each of its calls: %s', async (_, settings) => {
  const rules: FirewallRule = { protocol: 'tcp', from: 80, to: 80, sources: [{ component: 'loadBalancer' }] }
  await throughDeaths(
    settings,
    (provider) => provider.secure?.(owner, { web: [rules], db: [rules] }) ?? Promise.resolve(),
  )
  const made: ProviderMachine[] = []
  for (const component of components) {
    made.push(await throughDeaths(settings, (provider) => make(provider, { component, token: `mac_${component}` })))
    expect(counts(cloud)).toMatchObject({
      virtualMachines: made.length,
      networkInterfaces: made.length,
      disks: made.length,
    })
  }
  const [edge, web] = made
  for (const { id } of [edge, web].flatMap((one) => one ?? []))
    await throughDeaths(settings, async ({ staticAddresses: fixed }) => fixed?.assign(owner, 'load-balancer-1', id))
  const provider = await connectTo(cloud, 'ins_one', settings)
  expect(await provider.staticAddresses?.list('ins_one')).toEqual(
    provider.staticAddresses && [
      { deployment: owner.deployment, name: 'load-balancer-1', address: expect.any(String) },
    ],
  )
  for (const { id } of made) await throughDeaths(settings, (provider) => provider.destroyMachine(id))
  await throughDeaths(settings, async ({ staticAddresses: fixed }) => fixed?.release(owner, 'load-balancer-1'))
  expect(counts(cloud).publicIPAddresses).toBeUndefined()
  await throughDeaths(settings, (provider) => provider.release?.(owner) ?? Promise.resolve())
  expect(counts(cloud)).toEqual({})
  expect([...cloud.world.groups.keys()]).toEqual([])
})

test('that were at least a hundred deaths', () => {
  expect(deaths).toBeGreaterThanOrEqual(100)
})
