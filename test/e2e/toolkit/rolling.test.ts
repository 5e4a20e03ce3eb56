import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Load, type LoadResult, startLoad } from '../../../bench/load.ts'
import { until } from '../../support/until.ts'
import { noMachines } from '../providers/local-box.ts'
import { balancedShop, type TestDeployment, testDeployment } from './deployment.ts'

const blueprint = (options: { replicas: number; balancerMemory?: string; image?: string }) =>
  balancedShop({
    web: { replicas: options.replicas, update: { maxUnavailable: 2, drain: '5s' } },
    loadBalancer: {
      replicas: 2,
      machine: { cpu: 1, memory: options.balancerMemory ?? '256MiB', image: options.image ?? 'debian-13' },
    },
  })

/** Both connection modes against each address. */
function loadOn(addresses: string[]): Load[] {
  return addresses.flatMap((address) =>
    [true, false].map((keepAlive) => startLoad(`http://${address}/`, { connections: 5, keepAlive })),
  )
}

const stopAll = (loads: Load[], atLeast = 0): Promise<LoadResult[]> =>
  Promise.all(loads.map((load) => load.stop(atLeast)))

const failuresOf = (results: LoadResult[]) => results.map(({ failures }) => failures)
const totalOf = (results: LoadResult[]) => results.reduce((sum, { total }) => sum + total, 0)

describe.skipIf(noMachines)(
  `two load balancers in front of four machines${noMachines ? ` (${noMachines})` : ''}`,
  () => {
    let shop: TestDeployment

    beforeAll(async () => {
      shop = await testDeployment()
      await shop.deploy(blueprint({ replicas: 4 }), 'one')
    })

    afterAll(async () => {
      expect(await shop?.close()).toEqual([])
    })

    const addresses = async () => (await shop.machines('loadBalancer')).map(({ address }) => address)

    /** Names and versions that answer `count` requests at an address. */
    async function answering(address: string, count = 24) {
      const [names, releases] = [new Set<string>(), new Set<string>()]
      for (let i = 0; i < count; i++) {
        const response = await fetch(`http://${address}/`, { headers: { connection: 'close' } })
        await response.arrayBuffer()
        names.add(response.headers.get('x-served-by') ?? '')
        releases.add(response.headers.get('x-release') ?? '')
      }
      return { names: [...names].sort(), releases: [...releases] }
    }

    test('both send to all four', async () => {
      const four = { names: ['web-1', 'web-2', 'web-3', 'web-4'], releases: ['one'] }
      for (const address of await addresses()) expect(await answering(address)).toEqual(four)
    })

    test('an update two by two: never more than two out of service, and 0 requests fail', async () => {
      const loads = loadOn(await addresses())
      let fewest = Number.POSITIVE_INFINITY
      let updating = true
      const watch = async () => {
        while (updating) {
          const rows = await shop.statistics()
          for (const node of new Set(rows.map((row) => row.node)))
            fewest = Math.min(fewest, rows.filter((row) => row.node === node && row.status.startsWith('UP')).length)
        }
      }
      const watching = watch()
      try {
        await shop.deploy(blueprint({ replicas: 4 }), 'two')
      } finally {
        updating = false
        await watching
        const results = await stopAll(loads, 1500)
        expect(failuresOf(results)).toEqual(loads.map(() => ({})))
        expect(totalOf(results)).toBeGreaterThanOrEqual(5000)
      }
      // Two are out at once for a moment only, which may be between two looks.
      expect([2, 3]).toContain(fewest)
      for (const address of await addresses()) expect((await answering(address)).releases).toEqual(['two'])
    })

    test('weight, drain and maintenance at run time: on both nodes, without a reload, and they stay over an update', async () => {
      const loads = loadOn(await addresses())
      try {
        await shop.change('web-1', { state: 'maintenance' })
        await shop.change('web-2', { state: 'drain' })
        await shop.change('web-3', { weight: 10 })
        const inForce = async () => {
          const rows = await shop.statistics()
          expect(rows.map(({ server, state, weight }) => `${server} ${state} ${weight}`).sort()).toEqual(
            ['web-1 maintenance 100', 'web-2 drain 100', 'web-3 ready 10', 'web-4 ready 100'].flatMap((row) => [
              row,
              row,
            ]),
          )
          for (const address of await addresses()) {
            const seen = new Set<string>()
            // One has a tenth of the other's weight, and the load takes its share of the turns.
            await until(async () => {
              for (const name of (await answering(address)).names) seen.add(name)
              return seen.has('web-3')
            })
            expect([...seen].sort()).toEqual(['web-3', 'web-4'])
          }
        }
        await inForce()
        await shop.deploy(blueprint({ replicas: 4 }), 'three')
        await inForce()
        for (const name of ['web-1', 'web-2']) await shop.change(name, { state: 'ready' })
        await shop.change('web-3', { weight: 100 })
        for (const address of await addresses()) await until(async () => (await answering(address)).names.length === 4)
      } finally {
        expect(failuresOf(await stopAll(loads))).toEqual(loads.map(() => ({})))
      }
    })

    test('more machines, then fewer: 0 requests fail', async () => {
      const loads = loadOn(await addresses())
      try {
        await shop.scale({ web: 5 })
        // The load takes its share of the turns.
        for (const address of await addresses())
          await until(async () => (await answering(address, 30)).names.length === 5)
        await shop.change('web-5', { state: 'maintenance' })
        await shop.scale({ web: 3 })
      } finally {
        const results = await stopAll(loads)
        expect(failuresOf(results)).toEqual(loads.map(() => ({})))
        expect(results.every(({ servedBy }) => (servedBy['web-5'] ?? 0) > 0)).toBe(true)
      }
      expect((await shop.statistics()).map(({ server }) => server).sort()).toEqual(
        ['web-1', 'web-2', 'web-3'].flatMap((name) => [name, name]),
      )
    })

    test('both load balancers are replaced while machines are added: 0 requests fail, on the old ones until the new ones serve, then on those', async () => {
      const before = await shop.machines('loadBalancer')
      const old = loadOn(before.map(({ address }) => address))
      const names = new Set(before.map(({ name }) => name))
      let fresh: Load[] = []
      let results: LoadResult[] = []
      const deploying = shop.deploy(blueprint({ replicas: 5, balancerMemory: '320MiB' }), 'three')
      deploying.catch(() => {})
      try {
        let made: Awaited<ReturnType<TestDeployment['machines']>> = []
        let sofar: LoadResult[] = []
        await until(async () => {
          // Once the new ones serve the old ones go, at any moment.
          sofar = old.map(({ result }) => structuredClone(result))
          made = (await shop.machines('loadBalancer')).filter(({ name }) => !names.has(name))
          return made.length === 2 && made.every(({ status }) => status === 'ready')
        })
        fresh = loadOn(made.map(({ address }) => address))
        results = sofar
        await stopAll(old)
        await deploying
      } finally {
        results = [...results, ...(await stopAll([...(results.length > 0 ? [] : old), ...fresh], 300))]
      }
      expect(failuresOf(results)).toEqual(results.map(() => ({})))
      for (const address of await addresses()) expect((await answering(address)).names).toHaveLength(5)
      expect((await shop.machines('loadBalancer')).filter(({ name }) => names.has(name))).toEqual([])
    })
  },
)
