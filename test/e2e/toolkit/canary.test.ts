import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Load, startLoad } from '../../../bench/load.ts'
import { until } from '../../support/until.ts'
import { noMachines } from '../providers/local-box.ts'
import { balancedShop, small, type TestDeployment, testDeployment } from './deployment.ts'

const blueprint = ({ image = 'debian-13', start = 'node server.js' } = {}) =>
  balancedShop({
    web: {
      start,
      replicas: 2,
      machine: { ...small, image },
      health: { http: '/', interval: '500ms', grace: '5s' },
    },
  })

interface Shown {
  release: number
  canary: { component: string; release: number; share: number; machines: string[] } | null
}

describe.skipIf(noMachines)(`a release on trial${noMachines ? ` (${noMachines})` : ''}`, () => {
  let shop: TestDeployment
  let address = ''

  const shown = () => shop.call<Shown>('GET', '/v1/deployments/shop')
  const start = (): Load => startLoad(`http://${address}/`, { connections: 10, keepAlive: true })

  /** Share of answers of a release, in percent, of the next 1000. */
  async function shareOf(load: Load, release: string): Promise<number> {
    const { total, releases } = load.result
    const before = releases[release] ?? 0
    await until(() => load.result.total >= total + 1000)
    return (100 * ((load.result.releases[release] ?? 0) - before)) / (load.result.total - total)
  }

  beforeAll(async () => {
    shop = await testDeployment()
    await shop.deploy(blueprint(), 'one')
    address = (await shop.machines('loadBalancer'))[0]?.address ?? ''
  })

  afterAll(async () => {
    expect(await shop?.close()).toEqual([])
  })

  test('a tenth of the requests meets the new release; promoted, all do; none fails', async () => {
    const load = start()
    try {
      await shop.deploy(blueprint(), 'two', { canary: { component: 'web', share: 10 } })
      expect(await shown()).toMatchObject({
        release: 1,
        canary: { component: 'web', release: 2, share: 10, machines: ['web-1'] },
      })
      const share = await shareOf(load, 'two')
      expect(share).toBeGreaterThan(7)
      expect(share).toBeLessThan(13)
      expect((await shop.statistics()).map(({ server, weight }) => [server, weight])).toEqual([
        ['web-1', 11],
        ['web-2', 100],
      ])

      await shop.submit({ kind: 'check' })
      expect(await shown()).toMatchObject({ status: 'live' })
      await shop.scale({ web: 3 })
      expect((await shown()).canary).toMatchObject({ machines: ['web-1'] })
      expect(load.result.releases.two).toBeLessThan(load.result.releases.one ?? 0)
      await expect(shop.deploy(blueprint(), 'three', { canary: { component: 'web', share: 10 } })).rejects.toThrow(
        'release 2 is on trial as canary of web',
      )

      await shop.submit({ kind: 'promote' })
      expect(await shown()).toMatchObject({ release: 2, canary: null })
      expect(await shareOf(load, 'two')).toBe(100)
      expect((await shop.statistics()).every(({ weight }) => weight === 100)).toBe(true)
      await expect(shop.submit({ kind: 'promote' })).rejects.toThrow('shop has no canary')
    } finally {
      expect((await load.stop()).failures).toEqual({})
    }
  })

  test('aborted, all meet the release in force again; none fails', async () => {
    const load = start()
    try {
      await shop.deploy(blueprint(), 'three', { canary: { component: 'web', share: 50 } })
      expect(await shareOf(load, 'three')).toBeGreaterThan(40)
      await shop.submit({ kind: 'abort' })
      expect(await shown()).toMatchObject({ release: 2, canary: null })
      expect(await shareOf(load, 'two')).toBe(100)
      expect((await shop.statistics()).every(({ weight }) => weight === 100)).toBe(true)
    } finally {
      expect((await load.stop()).failures).toEqual({})
    }
  })

  test('one that does not become healthy is undone, and nobody noticed', async () => {
    const load = start()
    try {
      const broken = blueprint({ start: 'node nosuch.js' })
      const attempt = shop.deploy(broken, 'four', { canary: { component: 'web', share: 50 } })
      await expect(attempt).rejects.toThrow('release 2 is still serving')
      expect(await shown()).toMatchObject({ release: 2, canary: null })
      expect(await shareOf(load, 'two')).toBe(100)
      expect((await shop.statistics()).every(({ weight }) => weight === 100)).toBe(true)
    } finally {
      expect((await load.stop()).failures).toEqual({})
    }
  })

  test('what changes more than the component in place is refused by name', async () => {
    const attempt = shop.deploy(blueprint({ image: 'debian-12' }), 'four', { canary: { component: 'web', share: 10 } })
    await expect(attempt).rejects.toThrow(
      /a canary of web changes its machines in place and nothing else; this would also create web-/,
    )
    await expect(shop.deploy(blueprint(), 'four', { canary: { component: 'wbe', share: 10 } })).rejects.toThrow(
      'there is no component wbe',
    )
    expect(await shown()).toMatchObject({ release: 2, canary: null })
  })
})
