import { Resolver } from 'node:dns/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Load, startLoad } from '../../../bench/load.ts'
import { until } from '../../support/until.ts'
import { noMachines } from '../providers/local-box.ts'
import { balancedShop, small, type TestDeployment, testDeployment } from './deployment.ts'

const blueprint = balancedShop({
  web: { replicas: 2 },
  loadBalancer: { replicas: 2 },
  dns: {
    zone: 'shop.example',
    ttl: '1s',
    machine: small,
    records: [
      { name: 'web', type: 'A', value: '${web.addresses}' },
      { name: 'www', type: 'A', value: '${loadBalancer.addresses}' },
    ],
  },
  healing: {},
})

interface Heal {
  status: string
  kind: string
  error: { message: string } | null
}

describe.skipIf(noMachines)(`machines that die${noMachines ? ` (${noMachines})` : ''}`, () => {
  let shop: TestDeployment

  beforeAll(async () => {
    shop = await testDeployment()
    await shop.deploy(blueprint, 'one')
  })

  afterAll(async () => {
    expect(await shop?.close()).toEqual([])
  })

  const names = async (component: string) => (await shop.machines(component)).map(({ name }) => name)

  async function heals(): Promise<Heal[]> {
    const { items } = await shop.call<{ items: Heal[] }>('GET', '/v1/operations?deployment=shop&limit=50')
    return items.filter(({ kind }) => kind === 'heal')
  }

  /** Cuts a machine's power and waits until another one has taken its place; gives the seconds that it took. */
  async function replaced(machine: string, component: string): Promise<number> {
    const before = (await heals()).length
    const guest = await shop.guest(machine)
    const began = Date.now()
    await guest.powerOff()
    await until(async () => (await heals()).filter(({ status }) => status === 'succeeded').length > before, 240_000)
    const seconds = (Date.now() - began) / 1000
    console.log(`${machine} was replaced after ${seconds.toFixed(1)} s`)
    const now = await shop.machines(component)
    expect(now).toHaveLength(2)
    expect(now.map(({ name }) => name)).not.toContain(machine)
    expect(now.map(({ status }) => status)).toEqual(['ready', 'ready'])
    return seconds
  }

  async function answers(node: string, name: string): Promise<string[]> {
    const resolver = new Resolver({ timeout: 10_000, tries: 2 })
    resolver.setServers([node])
    return (await resolver.resolve4(`${name}.shop.example`)).sort()
  }

  const addresses = async (component: string) => (await shop.machines(component)).map(({ address }) => address).sort()

  test('a web machine under load: taken out of traffic at once, then replaced; requests that may be repeated do not fail', async () => {
    const [address = ''] = await addresses('loadBalancer')
    const load: Load = startLoad(`http://${address}/`, { connections: 10, keepAlive: true })
    try {
      await replaced('web-1', 'web')
    } finally {
      const { failures, total } = await load.stop(1_000)
      console.log(`${total} requests, failures: ${JSON.stringify(failures)}`)
      expect(Object.values(failures).reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(10)
    }
    const servers = async () => (await shop.statistics()).map(({ server, status }) => `${server} ${status}`).sort()
    await expect.poll(servers).toEqual((await names('web')).flatMap((name) => [`${name} UP`, `${name} UP`]).sort())
    for (const node of await addresses('dns')) expect(await answers(node, 'web')).toEqual(await addresses('web'))
  })

  test('a load balancer: the other one goes on, and DNS names the new one', async () => {
    const survivor = (await shop.machines('loadBalancer')).find(({ name }) => name === 'load-balancer-2')
    const load: Load = startLoad(`http://${survivor?.address}/`, { connections: 5, keepAlive: true })
    try {
      await replaced('load-balancer-1', 'loadBalancer')
    } finally {
      const { failures } = await load.stop(1_000)
      expect(failures).toEqual({})
    }
    for (const node of await addresses('dns'))
      expect(await answers(node, 'www')).toEqual(await addresses('loadBalancer'))
    for (const address of await addresses('loadBalancer')) expect((await fetch(`http://${address}/`)).status).toBe(200)
  })

  test('a name server: the other one goes on answering, and the new one knows it all', async () => {
    const survivor = (await shop.machines('dns')).find(({ name }) => name === 'dns-2')?.address ?? ''
    const expected = await addresses('web')
    let over = false
    let asked = 0
    const asking = (async () => {
      for (; !over; asked++) expect(await answers(survivor, 'web')).toEqual(expected)
    })()
    try {
      await replaced('dns-1', 'dns')
    } finally {
      over = true
      await asking
    }
    expect(asked).toBeGreaterThan(100)
    for (const node of await addresses('dns')) expect(await answers(node, 'web')).toEqual(expected)
  })
})
