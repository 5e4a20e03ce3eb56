import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ResolvedComponent } from '../../../src/model/blueprint.ts'
import type { JsonObject } from '../../../src/model/json.ts'
import type { OperationRequest } from '../../../src/model/operation.ts'
import type { ReleaseSpec } from '../../../src/model/release.ts'
import { autoscaler } from '../../../src/toolkit/autoscaler/service.ts'
import { appRelease } from '../../support/app.ts'
import { type Flow, startFlow } from '../../support/flow.ts'
import { until } from '../../support/until.ts'

let flow: Flow

beforeAll(async () => {
  flow = await startFlow({ services: { autoscaler: autoscaler as never } })
})
afterAll(() => flow?.stop())
beforeEach(() => {
  flow.reach.hook = undefined
  flow.reach.programs.length = 0
  flow.balancer.calls.length = 0
  flow.balancer.figures = undefined
})
afterEach(async () => {
  flow.reach.hook = undefined
  for (const { name } of await flow.store.deployments.list(flow.parts.tenantId, { limit: 50 }))
    await flow.finished(await flow.submit(name, 'destroy'))
})

interface Sharing {
  web?: number
  /** Machines of `web` that `api` is on; on machines of its own: `own`. Default 2. */
  api?: number
  own?: boolean
  /** Another one is another source of `api` alone. */
  version?: string
  /** Who the load balancer sends to. */
  to?: string
  db?: boolean
  scaled?: object
}

/** Machines of `web`, which two others may share: `api`, an application, and `db`, which holds data. */
function sharing({
  web = 2,
  api = 2,
  own = false,
  version = '1',
  to = 'web',
  db = false,
  scaled,
}: Sharing): ReleaseSpec {
  const spec = scaled && (autoscaler.schema.parse(scaled) as unknown as JsonObject)
  const services = spec ? [{ name: 'autoscaler', kind: 'autoscaler', spec }] : []
  const base = appRelease({ web, db, dbWithWeb: !own, services })
  const [host] = base.blueprint.components
  if (!host) throw new Error('no web')
  const placement = own ? {} : { with: 'web' }
  const guest: ResolvedComponent = { ...host, name: 'api', source: './api', port: 8081, replicas: api, placement }
  base.blueprint.components.push(guest)
  const balancer = base.blueprint.services.find(({ kind }) => kind === 'loadBalancer')
  if (balancer) balancer.spec = { ...balancer.spec, to }
  return { ...base, sources: { ...base.sources, './api': version.repeat(64).slice(0, 64) } }
}

const idOf = async (name: string) => (await flow.store.deployments.getByName(flow.parts.tenantId, name))?.id ?? ''
const rowsOf = async (name: string) => flow.store.machines.list(await idOf(name))

/** `api-1 on web-1`, with what is not ready. */
async function places(name: string): Promise<string[]> {
  const rows = await rowsOf(name)
  const nameOf = new Map(rows.map((row) => [row.id, row.name]))
  return rows
    .map((row) => {
      const place = row.hostId ? `${row.name} on ${nameOf.get(row.hostId)}` : row.name
      return row.status === 'ready' ? place : `${place} ${row.status}`
    })
    .sort()
}

async function deployed(name: string, spec: ReleaseSpec, request?: OperationRequest): Promise<void> {
  const { status, error } = await flow.deployed(name, spec, request)
  expect([error?.message, status]).toEqual([undefined, 'succeeded'])
}

/** Machines whose files or packages were changed since the last time it was asked. */
function touched(): string[] {
  const names = flow.reach.programs.splice(0).map((line) => line.slice(0, line.indexOf(':')))
  return [...new Set(names)].sort()
}

/** From now on so many requests come in every second. */
function load(rate: number): void {
  const [began, before] = [Date.now(), flow.balancer.figures?.().requests ?? 0]
  flow.balancer.figures = () => {
    const requests = before + (rate * (Date.now() - began)) / 1000
    return { requests, responses: requests, 'responses-5xx': 0, 'requests-at-hand': 0 }
  }
}

describe('an autoscaler of machines that others share', () => {
  const scaled = {
    component: 'web',
    min: 1,
    max: 4,
    target: { metric: 'requests-per-second-per-machine', value: 50 },
    interval: '1s',
    cooldown: { out: '0s', in: '0s' },
    stabilisation: '1s',
    warmUp: '0s',
  }
  const size = async (name: string) => (await rowsOf(name)).filter((row) => row.component === 'web').length
  const settled = (name: string, wanted: number) =>
    until(async () => {
      const glance = await flow.store.watches.glance(await idOf(name), [])
      return (await size(name)) === wanted && !glance?.operation
    })

  test('adds and removes machines around what shares them, and does not go below it', async () => {
    load(80)
    await deployed('grows', sharing({ scaled, db: true }))
    const shared = ['api-1 on web-1', 'api-2 on web-2', 'db-1 on web-1', 'load-balancer-1']
    expect(await places('grows')).toEqual([...shared, 'web-1', 'web-2'])
    touched()
    load(180)
    await settled('grows', 4)
    expect(await places('grows')).toEqual([...shared, 'web-1', 'web-2', 'web-3', 'web-4'])
    load(10)
    await settled('grows', 2)
    expect(await places('grows')).toEqual([...shared, 'web-1', 'web-2'])
    // Nobody who shares was installed or configured anew for it.
    expect(touched()).not.toContain('api-1')
    const decisions = await flow.store.watches.decisions(await idOf('grows'), 'autoscaler', { limit: 500 })
    expect(decisions.every(({ level }) => level === 'info')).toBe(true)
  })

  test('what comes to share later goes to machines that it made, and holds them', async () => {
    load(180)
    await deployed('later', sharing({ scaled, api: 1 }))
    await settled('later', 4)
    await deployed('later', sharing({ scaled, api: 3 }))
    expect((await places('later')).filter((place) => place.includes(' on '))).toEqual([
      'api-1 on web-1',
      'api-2 on web-2',
      'api-3 on web-3',
    ])
    load(10)
    await settled('later', 3)
    expect(await places('later')).toEqual([
      'api-1 on web-1',
      'api-2 on web-2',
      'api-3 on web-3',
      'load-balancer-1',
      'web-1',
      'web-2',
      'web-3',
    ])
  })
})

describe('a canary of what shares machines', () => {
  const canary = { component: 'api', share: 50, machines: ['api-1'], overrides: {} }

  test('changes it on its machines alone, stays while these become more or fewer, and is promoted', async () => {
    await deployed('trial', sharing({ web: 3, to: 'api' }))
    touched()
    await deployed('trial', sharing({ web: 3, to: 'api', version: '2' }), { canary })
    expect(touched()).toEqual(['api-1'])
    for (const web of [4, 2]) {
      const { status } = await flow.finished(await flow.submit('trial', 'scale', { scale: { web } }))
      expect([web, status]).toEqual([web, 'succeeded'])
      expect(touched()).not.toContain('api-1')
    }
    expect(await places('trial')).toEqual(['api-1 on web-1', 'api-2 on web-2', 'load-balancer-1', 'web-1', 'web-2'])
    const numbers = async () =>
      Object.fromEntries((await rowsOf('trial')).map(({ name, releaseNumber }) => [name, releaseNumber]))
    expect(await numbers()).toMatchObject({ 'api-1': 2, 'api-2': 1 })
    const promoted = await flow.finished(await flow.submit('trial', 'deploy', { release: 2 }))
    expect([promoted.error, promoted.status]).toEqual([null, 'succeeded'])
    expect(touched()).toContain('api-2')
    expect(touched()).not.toContain('api-1')
    expect(await numbers()).toMatchObject({ 'api-2': 2 })
  })

  test('aborted, it is as before; the machines and who else is on them are not touched', async () => {
    await deployed('aborted', sharing({ to: 'api', db: true }))
    await deployed('aborted', sharing({ to: 'api', db: true, version: '2' }), { canary })
    touched()
    const back = await flow.finished(await flow.submit('aborted', 'rollback', { release: 1 }))
    expect([back.error, back.status]).toEqual([null, 'succeeded'])
    expect(touched()).toEqual(['api-1'])
    expect((await flow.finished(await flow.submit('aborted', 'check'))).error).toBeNull()
  })
})

describe('a release with machines of its own and one that shares', () => {
  const own = () => sharing({ own: true, to: 'api' })
  const shared = () => sharing({ to: 'api' })
  const apart = ['api-1', 'api-2', 'load-balancer-1', 'web-1', 'web-2']

  test('forward, back and forward again: always two serve, and nothing is left', async () => {
    await deployed('moves', own())
    expect(await places('moves')).toEqual(apart)
    for (const [round, to] of (['shared', 'own', 'shared', 'own'] as const).entries()) {
      flow.balancer.calls.length = 0
      const before = (await rowsOf('moves')).filter(({ component }) => component === 'api').map(({ name }) => name)
      if (round === 0) await deployed('moves', shared())
      else {
        const release = to === 'own' ? 1 : 2
        const { error, status } = await flow.finished(await flow.submit('moves', 'rollback', { release }))
        expect([error, status]).toEqual([null, 'succeeded'])
      }
      const now = await rowsOf('moves')
      const guests = now.filter(({ component }) => component === 'api')
      expect(guests.map(({ hostId }) => hostId !== undefined)).toEqual(Array(2).fill(to === 'shared'))
      expect(now.every(({ status }) => status === 'ready')).toBe(true)
      // Whoever takes over is in traffic before the one that it takes over from has left.
      const order = flow.balancer.calls.filter((call) => /^(join|leave) api/.test(call))
      const serving = new Set(before)
      for (const call of order) {
        const [verb, name = ''] = call.split(' ')
        if (verb === 'join') serving.add(name)
        else serving.delete(name)
        expect([to, call, serving.size >= 2]).toEqual([to, call, true])
      }
      expect([...serving].sort()).toEqual(guests.map(({ name }) => name).sort())
      const { cloud } = await flow.machines('moves')
      expect(cloud).toHaveLength(to === 'shared' ? 3 : 5)
    }
  })

  test('one that fails on the way is undone: everything is where it was', async () => {
    await deployed('undone', own())
    flow.reach.hook = ({ name }, { resources }) =>
      name.startsWith('api-') && resources.some(({ resource }) => resource === 'package:nodejs')
        ? 'package:nodejs'
        : undefined
    const forth = await flow.deployed('undone', shared())
    expect(forth.status).toBe('failed')
    flow.reach.hook = undefined
    expect(await places('undone')).toEqual(apart)
    await deployed('undone', shared())
    const [first] = (await places('undone')).filter((place) => place.includes(' on '))
    expect(first).toMatch(/ on web-1$/)
    flow.reach.hook = ({ name }) => (/^api-/.test(name) ? 'package:nodejs' : undefined)
    const back = await flow.finished(await flow.submit('undone', 'rollback', { release: 1 }))
    flow.reach.hook = undefined
    expect(back.status).toBe('failed')
    expect((await places('undone')).filter((place) => place.includes(' on '))).toHaveLength(2)
    expect((await flow.machines('undone')).cloud).toHaveLength(3)
  })

  test('data goes nowhere unless it may be lost', async () => {
    await deployed('data', sharing({ own: true, db: true }))
    const refused = await flow.deployed('data', sharing({ db: true }))
    expect(refused.error?.message).toContain('db-1 holds data that would be lost')
    expect(await places('data')).toContain('db-1')
    await deployed('data', sharing({ db: true }), { allowDataLoss: ['db'] })
    expect((await places('data')).filter((place) => place.startsWith('db'))).toEqual(['db-2 on web-1'])
    const back = await flow.finished(await flow.submit('data', 'rollback', { release: 1 }))
    expect(back.error?.message).toContain('db-2 holds data that would be lost')
    expect((await places('data')).filter((place) => place.startsWith('db'))).toEqual(['db-2 on web-1'])
  })
})
