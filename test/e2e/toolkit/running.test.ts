import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startLoad } from '../../../bench/load.ts'
import { nodeState } from '../../../src/toolkit/load-balancer/node-state.ts'
import { change } from '../../../src/toolkit/load-balancer/runtime-socket.ts'
import { loadBalancer } from '../../../src/toolkit/load-balancer/service.ts'
import { until } from '../../support/until.ts'
import { images, noMachines } from '../providers/local-box.ts'
import { type Backend, startBackend } from './backend.ts'
import { type BalancerBox, balancerBox, type Wanted } from './balancer-box.ts'

const section = { listeners: [{ port: 80, to: 'web', health: { http: '/healthz' } }] }
const { join, leave } = loadBalancer.control
const leaving = (drain: number) => ({ overrides: {}, drain, going: false })
const joinOptions = { overrides: {}, timeout: 60_000, going: new Set<string>() }

describe.skipIf(noMachines).each(images)(
  `load balancer while it runs, %s${noMachines ? ` (${noMachines})` : ''}`,
  (image) => {
    let box: BalancerBox
    let one: Backend
    let two: Backend
    let three: Backend
    const member = (machine: string) => ({ component: 'web', machine })
    const wanted = (backends: Backend[], more: Partial<Wanted> = {}): Wanted => ({
      section,
      members: { web: backends },
      ...more,
    })

    beforeAll(async () => {
      ;[one, two, three] = await Promise.all([startBackend('web-1'), startBackend('web-2'), startBackend('web-3')])
      box = await balancerBox(image)
      await box.configure(wanted([one, two]), { first: true })
    })

    afterAll(async () => {
      for (const backend of [one, two, three]) await backend?.close()
      await box?.close()
    })

    afterEach(async () => {
      for (const backend of [one, two, three]) backend.healthy = true
      await box.configure(wanted([one, two]))
      await box.up('web-1', 'web-2')
    })

    const url = () => `http://${box.node.address}`
    const get = async (path = '/') => {
      const response = await fetch(`${url()}${path}`, { headers: { connection: 'close' } })
      await response.arrayBuffer()
      return { status: response.status, servedBy: response.headers.get('x-served-by') }
    }
    /** Names of the backends that answer twenty requests. */
    const answering = async () => {
      const names = new Set<string | null>()
      for (let i = 0; i < 20; i++) names.add((await get()).servedBy)
      return [...names].sort()
    }

    /** Requests of both kinds for as long as the work takes; expects that none failed. */
    async function underLoad(work: () => Promise<void>): Promise<void> {
      const loads = [true, false].map((keepAlive) => startLoad(`${url()}/`, { connections: 5, keepAlive }))
      let results: Awaited<ReturnType<(typeof loads)[0]['stop']>>[] = []
      try {
        await work()
      } finally {
        results = await Promise.all(loads.map((load) => load.stop(200)))
      }
      expect(results.map(({ failures }) => failures)).toEqual([{}, {}])
    }

    test('both backends answer, and configuring the same again changes nothing', async () => {
      expect(await answering()).toEqual(['web-1', 'web-2'])
      const worker = await box.worker()
      expect(await box.configure(wanted([one, two]))).toMatchObject({ changed: 0 })
      expect(await box.worker()).toBe(worker)
    })

    test('servers are added and removed without a reload, and 0 requests fail', async () => {
      const worker = await box.worker()
      await underLoad(async () => {
        await box.configure(wanted([one, two, three]))
        await box.up('web-3')
        await until(() => three.hits > 20)
        await box.configure(wanted([two, three]))
        expect(await box.server('web-1')).toBeUndefined()
      })
      expect(await answering()).toEqual(['web-2', 'web-3'])
      expect(await box.worker()).toBe(worker)
    })

    test('a new server gets no request before a check found it healthy', async () => {
      three.healthy = false
      three.hits = 0
      await underLoad(async () => {
        await box.configure(wanted([one, two, three]))
        await until(async () => (await box.server('web-3'))?.checkStatus === 'L7STS')
        expect(three.hits).toBe(0)
        three.healthy = true
        await until(() => three.hits > 0)
      })
    })

    test('a server that comes back under another address replaces the old one', async () => {
      const moved = await startBackend('web-2')
      try {
        const worker = await box.worker()
        await underLoad(async () => {
          await box.configure(wanted([one, moved]))
          await until(() => moved.hits > 0)
        })
        expect(await box.server('web-2')).toMatchObject({ port: moved.port })
        expect(await box.worker()).toBe(worker)
        await underLoad(() => box.configure(wanted([one, two])).then(() => {}))
      } finally {
        await moved.close()
      }
    })

    test('a machine that leaves gets no new request, and what it works on is waited for', async () => {
      const slow = get('/wait')
      await until(() => one.hits + two.hits > 0)
      const busy = await until(async () =>
        (await nodeState(box.reach, box.node)).servers.some((row) => row.sessions > 0),
      ).then(async () => {
        const rows = await Promise.all([box.server('web-1'), box.server('web-2')])
        return rows[0]?.sessions ? one : two
      })
      const left = leave(box.context(wanted([one, two])), member(busy.name), leaving(120_000))
      await until(async () => (await box.server(busy.name))?.state === 'maintenance')
      const before = busy.hits
      await answering()
      expect(busy.hits).toBe(before)
      let ended = false
      void left.then(() => {
        ended = true
      })
      expect(ended).toBe(false)
      busy.release()
      await left
      expect(await slow).toEqual({ status: 200, servedBy: busy.name })
    })

    test('no longer than the drain time is waited, and the open request goes on', async () => {
      const slow = get('/wait')
      await until(async () => (await nodeState(box.reach, box.node)).servers.some((row) => row.sessions > 0))
      const context = box.context(wanted([one, two]))
      const gone = { ...leaving(100), going: true }
      await Promise.all([leave(context, member('web-1'), gone), leave(context, member('web-2'), gone)])
      await Promise.all([join(context, member('web-1'), joinOptions), join(context, member('web-2'), joinOptions)])
      one.release()
      two.release()
      expect((await slow).status).toBe(200)
    })

    test('the last machine that serves stays in traffic, and waits for one that an operation has in its hands', async () => {
      const context = box.context(wanted([one, two]))
      const overrides = { 'web/web-1': { state: 'drain' as const } }
      await box.configure(wanted([one, two], { overrides }))
      await leave(context, member('web-2'), { ...leaving(5000), overrides })
      expect(await box.server('web-2')).toMatchObject({ state: 'ready', status: 'UP' })
      await box.configure(wanted([one, two]))
      await box.up('web-1', 'web-2')
      await underLoad(async () => {
        const both = Promise.all(['web-1', 'web-2'].map((name) => leave(context, member(name), leaving(5000))))
        const out = async () =>
          (await nodeState(box.reach, box.node)).servers.filter(({ state }) => state === 'maintenance')
        await until(async () => (await out()).length === 1)
        await join(context, member((await out())[0]?.server ?? ''), joinOptions)
        await both
        for (const { server } of await out()) await join(context, member(server), joinOptions)
      })
    })

    test('one that goes for good is taken out even when it is the last', async () => {
      const context = box.context(wanted([one, two]))
      for (const name of ['web-1', 'web-2']) await leave(context, member(name), { ...leaving(0), going: true })
      expect((await get()).status).toBe(503)
      for (const name of ['web-1', 'web-2']) await join(context, member(name), joinOptions)
    })

    test('out and in again under load: no request fails', async () => {
      const context = box.context(wanted([one, two]))
      await underLoad(async () => {
        for (const name of ['web-1', 'web-2', 'web-1', 'web-2']) {
          await leave(context, member(name), leaving(5000))
          await join(context, member(name), joinOptions)
        }
      })
    })

    test('join waits until a check finds the machine healthy, and says what it found when none does', async () => {
      const context = box.context(wanted([one, two]))
      await leave(context, member('web-2'), leaving(0))
      two.healthy = false
      two.hits = 0
      const attempt = join(context, member('web-2'), { ...joinOptions, timeout: 5000 })
      await expect(attempt).rejects.toMatchObject({
        code: 'health-failed',
        message: 'web-2 does not get traffic from loadBalancer on load-balancer-1: web: DOWN (L7STS)',
      })
      await answering()
      expect(two.hits).toBe(0)
      two.healthy = true
      await join(context, member('web-2'), joinOptions)
      expect(await answering()).toEqual(['web-1', 'web-2'])
    })

    test('a node that is being removed need not know a new machine; another does', async () => {
      const context = box.context(wanted([one, two]))
      await join(context, member('web-9'), { ...joinOptions, going: new Set(['load-balancer-1']) })
      const attempt = join(context, member('web-9'), { ...joinOptions, timeout: 200 })
      await expect(attempt).rejects.toMatchObject({ message: /web-9 .* it is in no backend/ })
      await leave(context, member('web-9'), leaving(0))
    })

    test('a machine that an operation has in its hands stays out when a change is pushed meanwhile', async () => {
      const context = box.context(wanted([one, two]))
      await leave(context, member('web-2'), leaving(0))
      await box.configure(wanted([one, two], { overrides: { 'web/web-1': { weight: 50 } }, unsettled: ['web-2'] }))
      expect(await box.server('web-2')).toMatchObject({ state: 'maintenance' })
      expect(await box.server('web-1')).toMatchObject({ weight: 50 })
      await join(context, member('web-2'), joinOptions)
    })

    test('statistics are what happened', async () => {
      await box.run('systemctl restart haproxy')
      await box.up('web-1', 'web-2')
      for (let i = 0; i < 6; i++) await get()
      for (let i = 0; i < 4; i++) await get('/status/404')
      await get('/status/500')
      const route = loadBalancer.routes.find(({ id }) => id === 'statistics')
      const answer = route?.response.parse(await route.read?.(box.context(wanted([one, two])), {}, {})) as {
        nodes: { running: boolean }[]
        servers: { server: string; bytesIn: number }[]
      }
      expect(answer.nodes).toMatchObject([{ node: 'load-balancer-1', running: true, error: '' }])
      const sum = answer.servers.find(({ server }) => server === 'BACKEND')
      expect(sum).toMatchObject({
        backend: 'web',
        sessionsTotal: 11,
        responses: { '1xx': 0, '2xx': 6, '3xx': 0, '4xx': 4, '5xx': 1 },
      })
      const both = answer.servers.filter(({ server }) => server !== 'BACKEND')
      expect(both).toMatchObject([
        { server: 'web-1', status: 'UP', state: 'ready', weight: 100, address: box.host, checkStatus: 'L7OK' },
        { server: 'web-2', status: 'UP', state: 'ready', weight: 100, address: box.host, checkStatus: 'L7OK' },
      ])
      expect(both.reduce((total, { bytesIn }) => total + bytesIn, 0)).toBe(sum?.bytesIn)
    })

    test('two hundred questions and changes at once are all answered', async () => {
      const questions = Array.from({ length: 100 }, () => nodeState(box.reach, box.node))
      const changes = Array.from({ length: 100 }, (_, i) =>
        change(box.reach, box.node, `set server web/web-1 weight ${(i % 100) + 1}`),
      )
      const states = await Promise.all(questions)
      await Promise.all(changes)
      expect(states.every(({ servers }) => servers.length === 3)).toBe(true)
    })
  },
)
