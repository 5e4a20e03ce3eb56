import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { DeploymentRecord, Store } from '../../../src/db/store.ts'
import { addDeployment, planOf, submit } from '../../support/store-fixtures.ts'
import { startTestStore, type TestStore } from '../../support/test-store.ts'

let running: TestStore
let store: Store
let second: Store
let tenantId: string
let deployment: DeploymentRecord
let count = 0

beforeAll(async () => {
  running = await startTestStore()
  store = running.store
  second = await running.another()
  tenantId = running.tenantId
})
afterAll(() => running.stop())
beforeEach(async () => {
  deployment = await addDeployment(store, tenantId, `d${++count}`)
})

const statuses = async (id: string) =>
  (await store.operations.events(id, 0, 100)).map(({ type, data }) => `${type} ${data.status}`)

async function claimAll(): Promise<string[]> {
  const claimed = await Promise.all([store, second, store, second].map((one) => one.operations.claim(50)))
  return claimed.flat().map(({ id }) => id)
}

describe('submit', () => {
  test('the same key at once, through two processes, is one operation', async () => {
    const made = await Promise.all(
      [store, second, store, second].map((one) => submit(one, deployment, 'deploy', { idempotencyKey: `k${count}` })),
    )
    expect(new Set(made.map(({ operation }) => operation.id)).size).toBe(1)
    expect(made.filter(({ existing }) => !existing)).toHaveLength(1)
    const again = await store.operations.byIdempotencyKey(tenantId, `k${count}`)
    expect(again?.operation.id).toBe(made[0]?.operation.id)
  })

  test('the same key for another request is refused, for another deployment too', async () => {
    await submit(store, deployment, 'deploy', { idempotencyKey: `m${count}` })
    const other = submit(store, deployment, 'destroy', { idempotencyKey: `m${count}` })
    await expect(other).rejects.toMatchObject({ code: 'idempotency-mismatch' })
    const elsewhere = submit(store, await addDeployment(store, tenantId, `e${count}`), 'deploy', {
      idempotencyKey: `m${count}`,
    })
    await expect(elsewhere).rejects.toMatchObject({ code: 'idempotency-mismatch' })
  })

  test('of two that refuse to wait, one gets in; a push is no hindrance and meets none', async () => {
    await submit(store, deployment, 'push')
    const tries = await Promise.allSettled(
      [store, second].map((one) => submit(one, deployment, 'deploy', { onConflict: 'refuse' })),
    )
    expect(tries.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const refused = tries.find((one) => one.status === 'rejected')
    expect(refused?.reason).toMatchObject({
      code: 'operation-running',
      message: expect.stringMatching(/^operation op_\w+ \(deploy\) on d\d+ is queued$/),
    })
    expect((await submit(store, deployment, 'push', { onConflict: 'refuse' })).existing).toBe(false)
  })
})

describe('claim', () => {
  test('each operation is given to one of many who ask at once', async () => {
    const others = await Promise.all(
      Array.from({ length: 15 }, (_, n) => addDeployment(store, tenantId, `c${count}-${n}`)),
    )
    const wanted = await Promise.all(others.map(async (one) => (await submit(store, one)).operation.id))
    const claimed: string[] = []
    while (claimed.length < wanted.length) claimed.push(...(await claimAll()).filter((id) => wanted.includes(id)))
    expect(claimed.sort()).toEqual(wanted.sort())
    expect(await claimAll()).toEqual([])
  })

  test('one runs per deployment, in the order they came; pushes run beside it', async () => {
    const ids: string[] = []
    for (const kind of ['deploy', 'scale', 'destroy'] as const)
      ids.push((await submit(store, deployment, kind)).operation.id)
    expect(await claimAll()).toEqual([ids[0]])
    const push = (await submit(store, deployment, 'push')).operation.id
    expect(await claimAll()).toEqual([push])
    await store.operations.cancel(ids[0] ?? '')
    expect(await claimAll()).toEqual([])
    await store.operations.finish(ids[0] ?? '', { status: 'cancelled' })
    expect(await claimAll()).toEqual([ids[1]])
    await store.operations.finish(ids[1] ?? '', { status: 'succeeded' })
    expect(await claimAll()).toEqual([ids[2]])
  })

  test('never two running of one deployment, whatever many dispatchers do', async () => {
    const ids: string[] = []
    for (let n = 0; n < 12; n++) ids.push((await submit(store, deployment)).operation.id)
    const done: string[] = []
    const dispatcher = async (one: Store) => {
      while (done.length < ids.length) {
        for (const { id, deploymentId } of await one.operations.claim(5)) {
          const open = (await one.operations.running()).filter((row) => row.deploymentId === deploymentId)
          expect(open.map((row) => row.id)).toEqual([id])
          done.push(id)
          await one.operations.finish(id, { status: 'succeeded' })
        }
      }
    }
    await Promise.all([store, second, store, second].map(dispatcher))
    expect(done).toEqual(ids)
  })

  test('a claimed one whose dispatcher died is found again until it is acknowledged', async () => {
    const { id } = (await submit(store, deployment)).operation
    await claimAll()
    expect((await store.operations.undispatched(0)).map((row) => row.id)).toContain(id)
    expect((await store.operations.undispatched(60_000)).map((row) => row.id)).not.toContain(id)
    await store.operations.dispatched(id)
    expect((await store.operations.undispatched(0)).map((row) => row.id)).not.toContain(id)
  })
})

describe('cancel and finish', () => {
  test('a queued one ends at once, a running one is asked to, a final one stays', async () => {
    const queued = (await submit(store, deployment)).operation.id
    expect(await store.operations.cancel(queued)).toMatchObject({ status: 'cancelled', finishedAt: expect.any(Date) })
    const { id } = (await submit(store, deployment)).operation
    await claimAll()
    expect(await store.operations.cancel(id)).toMatchObject({ status: 'cancelling', finishedAt: null })
    await store.operations.finish(id, { status: 'failed', error: { code: 'internal', message: 'a\0b' } })
    await store.operations.finish(id, { status: 'succeeded' })
    expect(await store.operations.cancel(id)).toMatchObject({ status: 'failed', error: { message: 'a\u2400b' } })
    expect(await store.operations.cancel('op_none')).toBeUndefined()
    expect(await statuses(id)).toEqual([
      'operation queued',
      'operation running',
      'operation cancelling',
      'operation failed',
    ])
  })

  test('lists filter by deployment and status', async () => {
    const first = (await submit(store, deployment)).operation.id
    await store.operations.cancel(first)
    const next = (await submit(store, deployment)).operation.id
    const list = async (filter: Parameters<Store['operations']['list']>[1]) =>
      (await store.operations.list(tenantId, { deployment: deployment.name, ...filter }, { limit: 10 })).map(
        ({ id }) => id,
      )
    expect((await list({})).sort()).toEqual([first, next].sort())
    expect(await list({ status: ['cancelled'] })).toEqual([first])
    expect(await list({ status: ['queued', 'running'] })).toEqual([next])
  })
})

describe('plans, units, events', () => {
  const units = [
    { id: 'web-1/create', kind: 'create' as const, needs: [] },
    { id: 'web-1/install', kind: 'install' as const, needs: ['web-1/create'] },
  ]

  test('the first plan stays; its units are written before and after', async () => {
    const { id } = (await submit(store, deployment)).operation
    const plan = planOf(deployment.name, units)
    expect(await store.operations.savePlan(id, 'main', plan)).toEqual(plan)
    expect(await second.operations.savePlan(id, 'main', { ...plan, units: [] })).toEqual(plan)
    expect(await store.operations.plan(id, 'undo')).toBeUndefined()
    await store.operations.setUnit(id, 'main', 'web-1/create', { status: 'running' })
    await store.operations.setUnit(id, 'main', 'web-1/create', {
      status: 'failed',
      error: { code: 'provider-failed', message: 'no' },
    })
    await store.operations.setUnit(id, 'main', 'web-1/create', { status: 'running' })
    await store.operations.setUnit(id, 'main', 'web-1/create', { status: 'done' })
    expect(await store.operations.units(id)).toMatchObject([
      { id: 'web-1/create', status: 'done', attempts: 2, error: null, finishedAt: expect.any(Date) },
      { id: 'web-1/install', status: 'pending', attempts: 0 },
    ])
    expect(
      (await store.operations.events(id, 0, 10)).filter(({ type }) => type === 'unit').map(({ data }) => data),
    ).toEqual([
      { id: 'web-1/create', kind: 'create', machine: 'web-1', status: 'running' },
      {
        id: 'web-1/create',
        kind: 'create',
        machine: 'web-1',
        status: 'failed',
        seconds: expect.any(Number),
        error: { code: 'provider-failed', message: 'no' },
      },
      { id: 'web-1/create', kind: 'create', machine: 'web-1', status: 'running' },
      { id: 'web-1/create', kind: 'create', machine: 'web-1', status: 'done', seconds: expect.any(Number) },
    ])
    await expect(store.operations.setUnit(id, 'main', 'web-9/create', { status: 'done' })).rejects.toThrow(
      /has no unit web-9\/create/,
    )
  })

  test('a reader that goes on from the last event it saw misses none, however many append at once', async () => {
    const { id } = (await submit(store, deployment)).operation
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let n = 0; n < 25; n++) {
        await [store, second][writer % 2]?.operations.appendEvents(id, [
          { type: 'log', data: { writer, n, part: 1 } },
          { type: 'log', data: { writer, n, part: 2 } },
        ])
      }
    })
    let ended = false
    const all = Promise.all(writers).then(() => {
      ended = true
    })
    const seen: number[] = []
    for (;;) {
      const last = ended
      const events = await store.operations.events(id, seen.at(-1) ?? 0, 7)
      seen.push(...events.map(({ seq }) => seq))
      if (last && events.length === 0) break
    }
    await all
    expect(seen).toHaveLength(8 * 25 * 2 + 1)
    const logs = (await store.operations.events(id, 0, 1000)).filter(({ type }) => type === 'log')
    for (let writer = 0; writer < 8; writer++) {
      const own = logs.filter(({ data }) => data.writer === writer).map(({ data }) => `${data.n}.${data.part}`)
      expect(own).toEqual(Array.from({ length: 50 }, (_, n) => `${Math.floor(n / 2)}.${(n % 2) + 1}`))
    }
  })

  test('what machines print is kept whatever it holds', async () => {
    const { id } = (await submit(store, deployment)).operation
    await store.operations.appendEvents(id, [
      { type: 'log', data: { message: 'a\0b \ud800 \u001b[31m \\u0000', 'k\0': 1 } },
    ])
    expect((await store.operations.events(id, 0, 10)).at(-1)?.data.message).toBe('a\u2400b \ufffd \u001b[31m \\u0000')
  })
})

describe('changed', () => {
  /** Milliseconds after which nobody was woken. */
  const timeout = 120_000

  test('wakes in another process on an event, and on the topic of operations', async () => {
    const { id } = (await submit(store, deployment)).operation
    const began = Date.now()
    await second.changed('operations', { timeout: 1 })
    const woken = [second.changed(`operation:${id}`, { timeout }), second.changed('operations', { timeout })]
    await store.operations.cancel(id)
    await Promise.all(woken)
    expect(Date.now() - began).toBeLessThan(timeout)
  })

  test('what was announced between reading and waiting still wakes', async () => {
    const { id } = (await submit(store, deployment)).operation
    await second.changed('operations', { timeout: 500 })
    await store.operations.appendEvents(id, [{ type: 'log', data: {} }])
    const began = Date.now()
    await second.changed(`operation:${id}`, { timeout })
    expect(Date.now() - began).toBeLessThan(timeout)
  })

  test('ends with the signal, and with its time', async () => {
    const cut = new AbortController()
    const waiting = store.changed('operation:none', { timeout: 20_000, signal: cut.signal })
    cut.abort()
    await waiting
    await store.changed('operation:none', { timeout: 10 })
  })
})
