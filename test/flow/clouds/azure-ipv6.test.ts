import { afterEach, beforeEach, expect, test } from 'vitest'
import { driver } from '../../../src/providers/azure/driver.ts'
import type { Provider } from '../../../src/providers/contract.ts'
import { type AzureCloud, startAzureCloud } from '../../clouds/azure/azure-cloud.ts'
import { connectTo } from '../../clouds/azure/connect.ts'
import { clear, counts, make, owner } from './azure-box.ts'

let cloud: AzureCloud
let provider: Provider

beforeEach(async () => {
  cloud = await startAzureCloud()
  provider = await connectTo(cloud, 'ins_one', { ipv6: true })
})
afterEach(async () => {
  await clear(provider)
  expect(counts(cloud)).toEqual({})
  await cloud.close()
})

const addressesOf = async (id: string) => (await provider.getMachine(id))?.addresses ?? []

test('a machine of an own network has addresses of both families, inside and outside; Kitbag logs in by IPv4', async () => {
  const { id } = await make(provider, { component: 'loadBalancer' })
  const addresses = await addressesOf(id)
  expect(addresses).toMatchObject([
    { family: 4, scope: 'private' },
    { family: 4, scope: 'public', login: true },
    { family: 6, scope: 'private', address: expect.stringMatching(/^fd[0-9a-f]{2}:/) },
    { family: 6, scope: 'public' },
  ])
  expect(addresses.filter(({ login }) => login)).toHaveLength(1)
  await provider.destroyMachine(id)
  expect(counts(cloud).publicIPAddresses).toBeUndefined()
})

test('a static address takes the place of the IPv4 one alone', async () => {
  const { id } = await make(provider, { component: 'loadBalancer' })
  const six = (await addressesOf(id)).filter(({ family }) => family === 6)
  const given = (await provider.staticAddresses?.assign(owner, 'load-balancer-1', id)) ?? []
  expect(given.filter(({ family }) => family === 6)).toEqual(six)
  expect(given.filter((one) => one.static)).toHaveLength(1)
  expect(await addressesOf(id)).toEqual(given)
})

test('it is for own networks', () => {
  const subnet = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/s'
  const { error } = driver.settings.safeParse({ ...cloud.settings, subnet, ipv6: true })
  expect(error?.issues.map(({ path }) => path.join('.'))).toEqual(['ipv6'])
})
