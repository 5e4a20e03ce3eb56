import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startLoad } from '../../../bench/load.ts'
import { loadBalancer } from '../../../src/toolkit/load-balancer/service.ts'
import { until } from '../../support/until.ts'
import { images, noMachines } from '../providers/local-box.ts'
import { type Backend, startBackend } from './backend.ts'
import { type BalancerBox, balancerBox, type Wanted } from './balancer-box.ts'

const { join, leave } = loadBalancer.control

const leaving = (drain: number) => ({ overrides: {}, drain, going: false })

/** A section whose timeout takes a reload when it changes. */
function section(client: number, more: object = {}) {
  return {
    listeners: [{ port: 80, to: 'web', health: { http: '/healthz' }, timeouts: { client: `${client}s` }, ...more }],
  }
}

describe.skipIf(noMachines).each(images)(
  `load balancer and its reloads, %s${noMachines ? ` (${noMachines})` : ''}`,
  (image) => {
    let box: BalancerBox
    let one: Backend
    let two: Backend
    let client = 60

    const wanted = (more: Partial<Wanted> = {}): Wanted => ({
      section: section(client),
      members: { web: [one, two] },
      ...more,
    })
    const url = () => `http://${box.node.address}`
    const load = (keepAlive: boolean) => startLoad(`${url()}/`, { connections: 5, keepAlive })

    /** Configures with another timeout; expects that a new process came of it. */
    async function reload(more: Partial<Wanted> = {}): Promise<void> {
      const before = await box.worker()
      client++
      expect((await box.configure(wanted(more))).suppressed).toEqual([])
      expect(await box.worker()).not.toBe(before)
    }

    beforeAll(async () => {
      ;[one, two] = await Promise.all([startBackend('web-1'), startBackend('web-2')])
      box = await balancerBox(image)
      await box.configure(wanted(), { first: true })
      await box.up('web-1', 'web-2')
    })

    afterAll(async () => {
      for (const backend of [one, two]) await backend?.close()
      await box?.close()
    })

    afterEach(async () => {
      one.healthy = true
      two.healthy = true
      await box.configure(wanted())
      await box.up('web-1', 'web-2')
    })

    test('reloads under load lose no request, in both connection modes', async () => {
      const loads = [load(true), load(false)]
      try {
        for (let i = 0; i < 5; i++) {
          await reload()
          const sofar = loads.map(({ result }) => result.total)
          await until(() => loads.every(({ result }, n) => result.total > (sofar[n] ?? 0) + 200))
        }
      } finally {
        const results = await Promise.all(loads.map((one) => one.stop()))
        expect(results.map(({ failures }) => failures)).toEqual([{}, {}])
      }
    })

    test('one that is out of traffic, and one that is down, get no request through a reload', async () => {
      await leave(box.context(wanted()), { component: 'web', machine: 'web-2' }, leaving(5000))
      const loads = [load(true), load(false)]
      try {
        two.hits = 0
        await reload({ unsettled: ['web-2'] })
        await reload({ unsettled: ['web-2'] })
        expect(await box.server('web-2')).toMatchObject({ state: 'maintenance' })
        expect(two.hits).toBe(0)
        await join(
          box.context(wanted()),
          { component: 'web', machine: 'web-2' },
          { overrides: {}, timeout: 60_000, going: new Set() },
        )
        await until(() => two.hits > 0)
        one.healthy = false
        // What was sent to it before that has been answered.
        await until(async () => {
          const row = await box.server('web-1')
          return row?.status === 'DOWN' && row.sessions === 0
        })
        one.hits = 0
        await reload()
        await reload()
        expect(one.hits).toBe(0)
      } finally {
        const results = await Promise.all(loads.map((one) => one.stop()))
        expect(results.map(({ failures }) => failures)).toEqual([{}, {}])
      }
    })

    const held = { 'web/web-1': { weight: 7 }, 'web/web-2': { state: 'drain' as const } }

    test('weight, drain and maintenance are in force at once, and stay through configure, reload and restart', async () => {
      const inForce = async (mode: 'drain' | 'maintenance') => {
        await box.up('web-1')
        expect(await box.server('web-1')).toMatchObject({ weight: 7, state: 'ready' })
        const row = await box.server('web-2')
        // A process that was started with it knows a drain as weight 0 only.
        if (mode === 'drain')
          expect([row?.state, row?.weight]).toEqual(
            expect.toSatisfy(([state, weight]) => state === 'drain' || weight === 0),
          )
        else expect(row?.status).toMatch(/^MAINT/)
        two.hits = 0
        for (let i = 0; i < 10; i++) await (await fetch(url(), { headers: { connection: 'close' } })).arrayBuffer()
        expect(two.hits).toBe(0)
      }
      for (const mode of ['drain', 'maintenance'] as const) {
        const overrides = { ...held, 'web/web-2': { state: mode } }
        const worker = await box.worker()
        await box.configure(wanted({ overrides }))
        expect(await box.worker()).toBe(worker)
        await inForce(mode)
        await reload({ overrides })
        await inForce(mode)
        await box.run('systemctl restart haproxy')
        await inForce(mode)
        expect(await box.configure(wanted({ overrides }))).toMatchObject({ changed: 0 })
        await inForce(mode)
        await box.configure(wanted())
        await box.up('web-1', 'web-2')
        expect(await box.server('web-1')).toMatchObject({ weight: 100 })
      }
    })

    test('an override that ended together with a change that takes a reload is over', async () => {
      await box.configure(wanted({ overrides: held }))
      await reload()
      await box.up('web-1', 'web-2')
      expect(await box.server('web-1')).toMatchObject({ weight: 100, state: 'ready' })
      expect(await box.server('web-2')).toMatchObject({ weight: 100, state: 'ready' })
    })

    test('a drain that ended while its server was down is over when it comes back', async () => {
      await box.configure(wanted({ overrides: held }))
      two.healthy = false
      await until(async () => (await box.server('web-2'))?.status === 'DOWN')
      await box.configure(wanted())
      two.healthy = true
      await box.up('web-2')
    })

    describe('with a cookie', () => {
      const sticky = (backends: Backend[], more: Partial<Wanted> = {}) =>
        wanted({ section: section(client, { sticky: true }), members: { web: backends }, ...more })
      const get = async (cookie?: string) => {
        const response = await fetch(url(), { headers: { connection: 'close', ...(cookie && { cookie }) } })
        await response.arrayBuffer()
        const given = response.headers.get('set-cookie')
        return { servedBy: response.headers.get('x-served-by'), cookie: given?.split(';')[0], attributes: given }
      }

      test('a client stays with its machine, while machines come by a reload and leave', async () => {
        await box.configure(sticky([one, two]))
        await box.up('web-1', 'web-2')
        const first = await get()
        expect(first.attributes).toBe(`kitbag-web=${first.servedBy}; path=/; HttpOnly; SameSite=Lax`)
        for (let i = 0; i < 10; i++) expect(await get(first.cookie)).toMatchObject({ servedBy: first.servedBy })

        const three = await startBackend('web-3')
        const loads = [load(true), load(false)]
        try {
          const worker = await box.worker()
          await box.configure(sticky([one, two, three]))
          expect(await box.worker()).not.toBe(worker)
          await until(() => three.hits > 0)
          expect(await get(first.cookie)).toMatchObject({ servedBy: first.servedBy })

          const context = box.context(sticky([one, two, three]))
          const member = { component: 'web', machine: first.servedBy ?? '' }
          await leave(context, member, leaving(5000))
          const moved = await get(first.cookie)
          expect(moved.servedBy).not.toBe(first.servedBy)
          expect(moved.cookie).toBe(`kitbag-web=${moved.servedBy}`)
          await join(context, member, { overrides: {}, timeout: 60_000, going: new Set() })
          await box.configure(sticky([one, two]))
        } finally {
          const results = await Promise.all(loads.map((one) => one.stop()))
          await three.close()
          expect(results.map(({ failures }) => failures)).toEqual([{}, {}])
        }
      })

      test('drain lets clients that have the cookie through, and no new ones', async () => {
        await box.configure(sticky([one, two], { overrides: { 'web/web-2': { state: 'drain' } } }))
        await box.up('web-1')
        expect(await get('kitbag-web=web-2')).toMatchObject({ servedBy: 'web-2' })
        for (let i = 0; i < 5; i++) expect(await get()).toMatchObject({ servedBy: 'web-1' })
      })
    })

    test('tcp: connections pass, and one that is open outlives a reload and its server leaving', async () => {
      const tcp = wanted({ section: { listeners: [{ port: 80, protocol: 'tcp', to: 'web', algorithm: 'leastconn' }] } })
      await box.configure(tcp)
      await box.up('web-1', 'web-2')
      const socket = connect(80, box.node.address)
      let answers = ''
      let closed = false
      socket.on('data', (chunk) => {
        answers += chunk
      })
      socket.on('close', () => {
        closed = true
      })
      const ask = async () => {
        answers = ''
        socket.write('GET / HTTP/1.1\r\nhost: test\r\n\r\n')
        await until(() => answers.includes('hello'))
        return /x-served-by: (\S+)/.exec(answers)?.[1] ?? ''
      }
      try {
        const name = await ask()
        await leave(box.context(tcp), { component: 'web', machine: name }, leaving(100))
        expect(await ask()).toBe(name)
        await box.configure(wanted({ unsettled: [name] }))
        expect(await ask()).toBe(name)
        expect(closed).toBe(false)
        await join(
          box.context(wanted()),
          { component: 'web', machine: name },
          { overrides: {}, timeout: 60_000, going: new Set() },
        )
      } finally {
        socket.destroy()
      }
    })
  },
)
