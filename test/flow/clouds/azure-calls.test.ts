import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Provider } from '../../../src/providers/contract.ts'
import { type AzureCloud, type Recorded, startAzureCloud } from '../../clouds/azure/azure-cloud.ts'
import { connectTo } from '../../clouds/azure/connect.ts'
import { clear, counts, hostKey, make, owner } from './azure-box.ts'

let cloud: AzureCloud
let provider: Provider

beforeEach(async () => {
  cloud = await startAzureCloud()
  provider = await connectTo(cloud)
})

afterEach(async () => {
  await clear(provider)
  expect(counts(cloud)).toEqual({})
  await cloud.close()
})

/** What was asked since, without looking how far something is. */
function asked(since: number): Recorded[] {
  return cloud.requests.slice(since).filter(({ polling }) => !polling)
}

/** `PUT networkInterfaces/web-1-...-nic` as `PUT networkInterfaces` */
function short({ method, path }: Recorded): string {
  const [, what = ''] = /providers\/Microsoft\.\w+\/(\w+)/.exec(path) ?? []
  return `${method} ${what || path.replace(/^\/subscriptions\/[^/]+\//, '').replace(/\?.*/, '')}`
}

const privateKeyLine = 'the host key'

/** User data is the one place where a machine's host key may stand. */
function withoutUserData({ body, path }: Recorded): string {
  return `${path} ${JSON.stringify(body ?? '').replace(/"customData":"[^"]*"/, '')}`
}

describe('azure: what is asked of the cloud', () => {
  test('lists are read to their last page', async () => {
    await cloud.close()
    cloud = await startAzureCloud({ pageSize: 3 })
    provider = await connectTo(cloud)
    const made = await Promise.all([1, 2, 3, 4, 5, 6, 7].map((ordinal) => make(provider, { ordinal })))
    expect(await provider.listMachines({ tags: owner })).toHaveLength(7)
    const found = await Promise.all(made.map(({ id }) => provider.getMachine(id)))
    expect(found.map((machine) => machine?.status)).toEqual(made.map(() => 'running'))
    await Promise.all(made.map(({ id }) => provider.destroyMachine(id)))
    await provider.release?.(owner)
    expect(await provider.residue?.(owner.installation)).toEqual([])
  })

  test('one that is stopped, or gone, is seen as such among many', async () => {
    const made = await Promise.all([1, 2, 3, 4, 5, 6].map((ordinal) => make(provider, { ordinal })))
    const ids = made.map(({ id }) => id)
    const [stopped = '', gone = ''] = ids
    const vm = cloud.world.find(stopped)
    if (vm) vm.properties.power = 'deallocated'
    await provider.destroyMachine(gone)
    const found = await Promise.all(ids.map((id) => provider.getMachine(id)))
    expect(found.map((machine) => machine?.status)).toEqual(['stopped', undefined, ...Array(4).fill('running')])
  })

  test('for the first machine of a deployment, for one more, and for its end: call by call', async () => {
    await make(provider, { ordinal: 1 })
    const own = ['GET resourcegroups/kitbag-ins_one-dep_one', 'PUT resourcegroups/kitbag-ins_one-dep_one']
    const shared = ['virtualNetworks', 'applicationSecurityGroups', 'networkSecurityGroups']
    const machine = ['PUT publicIPAddresses', 'PUT networkInterfaces', 'PUT virtualMachines']
    const first = [
      'GET skus',
      'GET locations',
      ...own,
      ...shared.flatMap((one) => [`GET ${one}`, `PUT ${one}`]),
      ...machine,
    ]
    expect(asked(0).map(short).sort()).toEqual(first.sort())
    const before = cloud.requests.length
    const { id } = await make(provider, { ordinal: 2 })
    expect(asked(before).map(short)).toEqual(machine)
    const then = cloud.requests.length
    await provider.destroyMachine(id)
    expect(asked(then).map(short)).toEqual(['GET virtualMachines', 'DELETE virtualMachines', 'GET networkInterfaces'])
  })

  test('for a hundred machines: 4 calls each to create, 3 to destroy, 5 altogether to look at them', async () => {
    const ordinals = Array.from({ length: 100 }, (_, i) => i + 1)
    const made = await Promise.all(ordinals.map((ordinal) => make(provider, { ordinal })))
    expect(asked(0).length / 100).toBeLessThanOrEqual(4)
    const looking = cloud.requests.length
    expect(await provider.listMachines({ tags: owner })).toHaveLength(100)
    expect(asked(looking).length).toBeLessThanOrEqual(5)
    const reading = cloud.requests.length
    const found = await Promise.all(made.map(({ id }) => provider.getMachine(id)))
    expect(found.map((machine) => machine?.status)).toEqual(made.map(() => 'running'))
    expect(found.map((machine) => machine?.addresses)).toEqual(made.map(({ addresses }) => addresses))
    expect(cloud.requests.length - reading).toBeLessThanOrEqual(5)
    const destroying = cloud.requests.length
    await Promise.all(made.map(({ id }) => provider.destroyMachine(id)))
    expect(asked(destroying).length / 100).toBeLessThanOrEqual(3)
  })

  test('no secret but in the user data of the one machine', async () => {
    const { id } = await make(provider)
    await provider.console?.(id)
    await provider.test()
    const bodies = cloud.requests.map(withoutUserData).join('\n')
    for (const secret of [privateKeyLine, cloud.credentials.secret, ...cloud.login.given])
      expect(bodies).not.toContain(secret)
    const put = cloud.requests.find(({ method, path }) => method === 'PUT' && path.includes('/virtualMachines/'))
    const body = put?.body as { properties: { osProfile: { customData: string } } } | undefined
    const data = Buffer.from(body?.properties.osProfile.customData ?? '', 'base64').toString()
    expect(data).toContain(JSON.stringify(hostKey.privateKey))
    for (const secret of [cloud.credentials.secret, ...cloud.login.given]) expect(data).not.toContain(secret)
  })

  test('no secret in an error, wherever it is looked for', async () => {
    cloud.grants.notActions = ['Microsoft.Compute/virtualMachines/write']
    const error = await make(provider).catch((thrown) => thrown)
    const shown = inspect(error, { depth: 20, showHidden: true })
    for (const secret of [
      privateKeyLine,
      Buffer.from(privateKeyLine).toString('base64').slice(0, 12),
      ...cloud.login.given,
    ])
      expect(shown).not.toContain(secret)
  })
})
