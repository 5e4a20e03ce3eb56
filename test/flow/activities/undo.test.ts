import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { KitbagError } from '../../../src/model/errors.ts'
import type { OperationStatus } from '../../../src/model/operation.ts'
import { appRelease } from '../../support/app.ts'
import { type Flow, startFlow } from '../../support/flow.ts'

let flow: Flow

beforeAll(async () => {
  flow = await startFlow()
})

afterAll(() => flow?.stop())

beforeEach(() => flow.reset())

const all = ['db-1', 'load-balancer-1', 'web-1', 'web-2']

describe('failures', () => {
  test('a failed first deploy is undone, and says what failed where', async () => {
    flow.reach.hook = ({ name }, { resources }) =>
      name === 'db-1' && resources[0]?.resource.startsWith('package') ? resources[0].resource : undefined
    const operation = await flow.deployed('doomed', appRelease())
    expect(operation).toMatchObject({
      status: 'failed',
      error: { code: 'resource-failed', machine: 'db-1', resource: 'package:postgresql', output: 'E: broken' },
      result: { undone: true },
    })
    expect(operation.error?.message).toContain('what it had made was undone')
    expect(await flow.machines('doomed')).toEqual({ rows: [], cloud: [] })
    expect(await flow.releaseInForce('doomed')).toBeNull()
  })

  test('--keep-failed keeps what a failed first deploy made; the next deploy goes on from there', async () => {
    flow.reach.hook = ({ name }) => (name === 'web-2' ? 'package:nodejs' : undefined)
    const operation = await flow.deployed('kept', appRelease(), { keepFailed: true })
    expect(operation.status).toBe('failed')
    expect(operation.error?.message).toContain('was kept')
    expect((await flow.machines('kept')).cloud).toEqual(all)
    flow.reach.hook = undefined
    const made = flow.cloud.made
    expect((await flow.deployed('kept', appRelease())).status).toBe('succeeded')
    expect(flow.cloud.made).toBe(made)
  })

  test('a failed update goes back, and says that the old release is still serving', async () => {
    await flow.deployed('broken', appRelease())
    flow.reach.hook = ({ name }) => (name === 'web-1' ? 'directory:/opt/web/2222222222222222' : undefined)
    const operation = await flow.deployed('broken', appRelease({ version: '2' }))
    expect(operation).toMatchObject({ status: 'failed', result: { undone: true }, error: { machine: 'web-1' } })
    expect(operation.error?.message).toContain('release 1 is still serving')
    expect(await flow.releaseInForce('broken')).toBe(1)
    expect(await flow.machines('broken')).toEqual({ rows: all, cloud: all })
    flow.reach.hook = undefined
    expect((await flow.deployed('broken', appRelease())).result?.units).toBe(0)
  })

  test('a machine that never answers is named with what its cloud says, and undone', async () => {
    flow.reach.silent.add('web-2')
    const operation = await flow.deployed('silent', appRelease({ db: false }))
    expect(operation).toMatchObject({ status: 'failed', error: { code: 'provider-failed', machine: 'web-2' } })
    expect(operation.error?.message).toContain('its cloud says: running')
    expect(await flow.machines('silent')).toEqual({ rows: [], cloud: [] })
  })

  test('a machine that dies while it boots is noticed at once', async () => {
    flow.reach.silent.add('web-1')
    const operation = flow.deployed('dead', appRelease({ db: false }))
    await vi.waitFor(async () => expect((await flow.machines('dead')).cloud).toContain('web-1'), { timeout: 120_000 })
    for (const [id, { name }] of flow.cloud.machines) if (name === 'web-1') flow.cloud.machines.delete(id)
    const { status, error } = await operation
    expect([status, error?.machine]).toEqual(['failed', 'web-1'])
    expect(error?.message).toContain('it died')
    expect(await flow.machines('dead')).toEqual({ rows: [], cloud: [] })
  })

  test('an undo that cannot finish says so, and what is left can be destroyed later', async () => {
    flow.reach.hook = ({ name }) => (name === 'web-1' ? 'package:nodejs' : undefined)
    flow.cloud.hook = (call, phase, name) => {
      if (call === 'destroyMachine' && phase === 'before' && name === 'web-1') {
        throw new KitbagError('provider-failed', 'web-1 is protected')
      }
    }
    const operation = await flow.deployed('stuck', appRelease({ db: false, web: 1 }))
    expect(operation.status).toBe('failed')
    expect(operation.result?.undone).toBe(false)
    expect(operation.result?.undoErrors?.map(({ message }) => message)).toContain('web-1 is protected')
    expect((await flow.machines('stuck')).cloud).toEqual(['web-1'])
    flow.cloud.hook = undefined
    expect((await flow.finished(await flow.submit('stuck', 'destroy'))).status).toBe('succeeded')
    expect(await flow.machines('stuck')).toEqual({ rows: [], cloud: [] })
  })
})

describe('cancel', () => {
  test('cancelling at once, running programs stop between two resources, undone', async () => {
    let reached = () => {}
    const installing = new Promise<void>((resolve) => {
      reached = resolve
    })
    let stop = () => {}
    const cancelled = new Promise<void>((resolve) => {
      stop = resolve
    })
    flow.reach.hook = async ({ name }) => {
      if (name !== 'web-1') return
      reached()
      await cancelled
    }
    const operation = await flow.deploy('given-up', appRelease())
    await installing
    const seen: OperationStatus[] = []
    seen.push((await flow.store.operations.cancel(operation.id))?.status ?? 'queued')
    // The program is let go once it was asked to stop: it ends at its next resource.
    await vi.waitFor(() => expect(flow.reach.stopsAsked).toBeGreaterThan(0), { timeout: 120_000 })
    stop()
    const over = await flow.finished(operation)
    seen.push(over.status)
    expect(seen).toEqual(['cancelling', 'cancelled'])
    expect(over).toMatchObject({ error: { code: 'cancelled' }, result: { undone: true } })
    expect(await flow.machines('given-up')).toEqual({ rows: [], cloud: [] })
  })

  test('an update goes back to what was', async () => {
    await flow.deployed('half', appRelease())
    flow.balancer.hook = async (call) => {
      if (call === 'join web-1') await flow.store.operations.cancel(operation.id)
    }
    const operation = await flow.deploy('half', appRelease({ version: '2' }))
    const over = await flow.finished(operation)
    expect([over.status, await flow.releaseInForce('half')]).toEqual(['cancelled', 1])
    delete flow.balancer.hook
    expect((await flow.deployed('half', appRelease())).result?.units).toBe(0)
  })
})
