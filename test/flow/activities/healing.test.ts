import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { KitbagError } from '../../../src/model/errors.ts'
import type { OperationRecord } from '../../../src/model/operation.ts'
import { healing } from '../../../src/toolkit/healing/service.ts'
import { type App, appRelease } from '../../support/app.ts'
import { type Flow, startFlow } from '../../support/flow.ts'
import { until } from '../../support/until.ts'

let flow: Flow

beforeAll(async () => {
  flow = await startFlow({ services: { healing: healing as never } })
})
afterAll(() => flow?.stop())
afterEach(async () => {
  flow.cloud.hook = undefined
  for (const { id, name } of await flow.store.deployments.list(flow.parts.tenantId, { limit: 50 })) {
    if ((await flow.store.deployments.get(id)) === undefined) continue
    flow.reach.silent.clear()
    await flow.finished(await flow.submit(name, 'destroy'))
  }
})

function healed(app: App, section: object = {}) {
  const spec = healing.schema.parse({ interval: '1s', after: '1s', ...section })
  return appRelease({ ...app, services: [{ name: 'healing', kind: 'healing', spec: spec as never }] })
}

const idOf = async (name: string) => (await flow.store.deployments.getByName(flow.parts.tenantId, name))?.id ?? ''

async function heals(name: string): Promise<OperationRecord[]> {
  const operations = await flow.store.operations.list(flow.parts.tenantId, { deployment: name }, { limit: 50 })
  return operations.filter(({ kind }) => kind === 'heal').reverse()
}

async function firstHeal(name: string): Promise<OperationRecord> {
  await until(async () => (await heals(name)).length > 0)
  return flow.finished((await heals(name))[0] as OperationRecord)
}

async function messages(name: string): Promise<string[]> {
  const decisions = await flow.store.watches.decisions(await idOf(name), 'healing', { limit: 500 })
  return decisions.reverse().map(({ level, message }) => `${level} ${message}`)
}

const heard = (name: string, text: string) =>
  until(async () => (await messages(name)).some((message) => message.includes(text)))

/** The machine ends at its cloud, and nobody was told. */
async function vanish(name: string, machine: string): Promise<void> {
  const deployment = await idOf(name)
  for (const [id, { name: found, tags }] of flow.cloud.machines)
    if (found === machine && tags.deployment === deployment) flow.cloud.machines.delete(id)
  flow.reach.silent.add(machine)
}

async function statuses(name: string): Promise<string[]> {
  const rows = await flow.store.machines.list(await idOf(name))
  return rows.map((row) => `${row.name} ${row.status}`).sort()
}

describe('healing', () => {
  test('a machine that is deleted at its cloud is replaced at once, and never asked; the balancer forgets it', async () => {
    await flow.deployed('deleted', healed({ web: 2, db: false }))
    flow.balancer.calls.length = 0
    await vanish('deleted', 'web-1')
    const operation = await firstHeal('deleted')
    expect([operation.status, operation.error]).toEqual(['succeeded', null])
    expect(await statuses('deleted')).toEqual(['load-balancer-1 ready', 'web-2 ready', 'web-3 ready'])
    expect((await flow.machines('deleted')).cloud).toEqual(['load-balancer-1', 'web-2', 'web-3'])
    const units = await flow.units(operation)
    expect(units.filter((unit) => unit.includes('web-1'))).toEqual(['main web-1/destroy done'])
    expect(units.filter((unit) => unit.includes('web-2'))).toEqual([])
    expect(flow.balancer.calls).toContain('join web-3')
    await heard('deleted', 'replacing web-1 (deleted')
    await heard('deleted', 'info replaced')
  })

  test('one that is silent is replaced when its time is over, and its old self is destroyed', async () => {
    await flow.deployed('silent', healed({ web: 2, db: false }))
    flow.reach.silent.add('web-2')
    expect((await firstHeal('silent')).status).toBe('succeeded')
    expect((await flow.machines('silent')).cloud).toEqual(['load-balancer-1', 'web-1', 'web-3'])
    await heard('silent', 'web-2 is silent')
  })

  test('a silent one of a cloud whose machines are given back is replaced, and stays marked', async () => {
    flow.cloud.capabilities.givesBack = true
    await flow.deployed('owned', healed({ web: 2, db: false }))
    flow.cloud.hook = (call, phase, name) => {
      if (name !== 'web-2' || phase !== 'before' || (call !== 'getMachine' && call !== 'destroyMachine')) return
      throw new KitbagError('machine-unreachable', 'web-2 cannot be reached', { retryable: true })
    }
    flow.reach.silent.add('web-2')
    const operation = await firstHeal('owned')
    expect([operation.status, operation.error]).toEqual(['succeeded', null])
    expect(await statuses('owned')).toEqual(['load-balancer-1 ready', 'web-1 ready', 'web-3 ready'])
    expect((await flow.machines('owned')).cloud).toEqual(['load-balancer-1', 'web-1', 'web-2', 'web-3'])
    // It is back, and given back by a sweep.
    flow.cloud.hook = undefined
    const swept = await flow.parts.clouds.sweep({ remove: true, tenantId: flow.parts.tenantId })
    expect(swept.machines).toMatchObject([{ name: 'web-2', deployment: 'owned', removed: true }])
    delete flow.cloud.capabilities.givesBack
  })

  test('one that comes back in time is left alone', async () => {
    await flow.deployed('returns', healed({ web: 2, db: false }, { after: '1h' }))
    flow.reach.silent.add('web-2')
    await heard('returns', 'web-2 is silent')
    flow.reach.silent.delete('web-2')
    await heard('returns', 'web-2 is well again')
    expect(await heals('returns')).toEqual([])
    expect(await statuses('returns')).toEqual(['load-balancer-1 ready', 'web-1 ready', 'web-2 ready'])
  })

  test("a toolkit service's own machine is replaced too", async () => {
    await flow.deployed('node', healed({ web: 1, db: false }))
    await vanish('node', 'load-balancer-1')
    expect((await firstHeal('node')).status).toBe('succeeded')
    expect(await statuses('node')).toEqual(['load-balancer-2 ready', 'web-1 ready'])
  })

  test('a database is never replaced: a person is told; by hand it is, when its data may be lost', async () => {
    await flow.deployed('data', healed({ web: 1 }))
    await vanish('data', 'db-1')
    await heard('data', 'alert db-1 is dead')
    expect(await heals('data')).toEqual([])
    expect(await statuses('data')).toEqual(['db-1 ready', 'load-balancer-1 ready', 'web-1 ready'])
    const row = (await flow.store.machines.list(await idOf('data'))).find(({ name }) => name === 'db-1')
    const lost = [row?.id ?? '']
    const refused = await flow.finished(await flow.submit('data', 'heal', { lost }))
    expect(refused.error?.code).toBe('data-loss-refused')
    expect(await statuses('data')).toContain('db-1 ready')
    const done = await flow.finished(await flow.submit('data', 'heal', { lost, allowDataLoss: ['db'] }))
    expect([done.status, done.error]).toEqual(['succeeded', null])
    expect(await statuses('data')).toEqual(['db-2 ready', 'load-balancer-1 ready', 'web-1 ready'])
    await heard('data', 'info over: db-1 is dead')
  })

  test('a machine that carries a database beside something else is replaced by nobody but a person, and then with all that is on it', async () => {
    await flow.deployed('shared', healed({ web: 1, dbWithWeb: true }))
    expect((await flow.machines('shared')).cloud).toEqual(['load-balancer-1', 'web-1'])
    await vanish('shared', 'web-1')
    await heard('shared', 'alert web-1 is dead')
    expect(await heals('shared')).toEqual([])
    const row = (await flow.store.machines.list(await idOf('shared'))).find(({ name }) => name === 'web-1')
    const lost = [row?.id ?? '']
    const refused = await flow.finished(await flow.submit('shared', 'heal', { lost }))
    expect(refused.error?.message).toContain('db-1 holds data that would be lost')
    const done = await flow.finished(await flow.submit('shared', 'heal', { lost, allowDataLoss: ['db'] }))
    expect([done.status, done.error]).toEqual(['succeeded', null])
    expect(await statuses('shared')).toEqual(['db-2 ready', 'load-balancer-1 ready', 'web-2 ready'])
    expect((await flow.machines('shared')).cloud).toEqual(['load-balancer-1', 'web-2'])
  })

  test('one that shares a machine and is not well takes the machine with it', async () => {
    const rows = async () => flow.store.machines.list(await idOf('guest'))
    await flow.deployed('guest', healed({ web: 2, dbWithWeb: true }))
    const [guest] = (await rows()).filter(({ hostId }) => hostId !== undefined)
    expect(guest).toMatchObject({ name: 'db-1', hostId: (await rows()).find(({ name }) => name === 'web-1')?.id })
    expect(guest?.addresses).toEqual((await rows()).find(({ name }) => name === 'web-1')?.addresses)
    flow.reach.silent.add('db-1')
    await heard('guest', 'web-1 is silent: db-1 on it')
  })

  test('all of a component at once: none is replaced, a person is told', async () => {
    await flow.deployed('mass', healed({ web: 3, db: false }))
    for (const machine of ['web-1', 'web-2']) flow.reach.silent.add(machine)
    await heard('mass', 'alert 2 of 3 machines of web are not well at once')
    expect(await heals('mass')).toEqual([])
  })

  test('machines that die again and again are left to a person', async () => {
    await flow.deployed('flaps', healed({ web: 2, db: false }, { flapping: { replacements: 2, within: '1h' } }))
    for (const machine of ['web-1', 'web-2', 'web-3']) {
      const before = (await heals('flaps')).length
      await vanish('flaps', machine)
      if (machine === 'web-3') break
      await until(async () => (await heals('flaps')).length > before)
      await flow.finished((await heals('flaps')).at(-1) as OperationRecord)
      flow.reach.silent.clear()
    }
    await heard('flaps', 'alert 2 machines of web were replaced within 3600 s')
    expect(await heals('flaps')).toHaveLength(2)
  })

  test('a cloud without room: undone, told, tried again later; the next deploy replaces it meanwhile', async () => {
    const release = healed({ web: 2, db: false })
    await flow.deployed('full', release)
    flow.cloud.hook = (call, phase) => {
      if (call === 'createMachine' && phase === 'before') throw new KitbagError('capacity-exceeded', 'no room here')
    }
    await vanish('full', 'web-1')
    const failed = await firstHeal('full')
    expect(failed).toMatchObject({ status: 'failed', error: { code: 'capacity-exceeded' }, result: { undone: true } })
    await heard('full', 'the next try is in 60 s')
    expect(await statuses('full')).toEqual(['load-balancer-1 ready', 'web-1 lost', 'web-2 ready'])
    expect(flow.cloud.machines.size).toBe(2)
    flow.cloud.hook = undefined
    expect((await flow.deployed('full', release)).status).toBe('succeeded')
    expect(await statuses('full')).toEqual(['load-balancer-1 ready', 'web-2 ready', 'web-3 ready'])
  })

  test('a change while a machine is dead waits for it, then replaces it in the same go', async () => {
    await flow.deployed('change', healed({ web: 2, db: false }, { interval: '1h', after: '2s' }))
    flow.reach.silent.add('web-2')
    const changed = await flow.deployed(
      'change',
      healed({ web: 2, db: false, version: '2' }, { interval: '1h', after: '2s' }),
    )
    expect([changed.status, changed.error]).toEqual(['succeeded', null])
    expect(await statuses('change')).toEqual(['load-balancer-1 ready', 'web-1 ready', 'web-3 ready'])
    const events = await flow.store.operations.events(changed.id, 0, 1_000)
    expect(JSON.stringify(events)).toContain('web-2: dead, and replaced in the same go')
    expect(await heals('change')).toEqual([])
  })

  test('one that comes back while a change waits for it is changed like the others', async () => {
    await flow.deployed('back', healed({ web: 2, db: false }, { interval: '1h', after: '1h' }))
    flow.reach.silent.add('web-2')
    const operation = await flow.deploy(
      'back',
      healed({ web: 2, db: false, version: '2' }, { interval: '1h', after: '1h' }),
    )
    await until(async () => (await flow.store.operations.get(operation.id))?.status === 'running')
    expect(await flow.store.operations.units(operation.id)).toEqual([])
    flow.reach.silent.delete('web-2')
    expect((await flow.finished(operation)).status).toBe('succeeded')
    expect(await statuses('back')).toEqual(['load-balancer-1 ready', 'web-1 ready', 'web-2 ready'])
  })

  test.each([
    ['as it was deployed', 'push', {}],
    ['made by another Kitbag’s recipe', 'older', { installDigest: 'of an older recipe' }],
  ])('a push while a node is away succeeds, and the node is brought level when it is back: %s', async (_, name, as) => {
    await flow.deployed(name, healed({ web: 1, db: false }, { after: '1h' }))
    const node = async () => {
      const rows = await flow.store.machines.list(await idOf(name))
      return rows.find((row) => row.name === 'load-balancer-1')
    }
    const installed = (await node())?.installDigest
    await flow.store.machines.update((await node())?.id ?? '', as)
    flow.reach.silent.add('load-balancer-1')
    await flow.store.overrides.set(await idOf(name), 'loadBalancer', { 'web/web-1': { weight: 7 } })
    const pushed = await flow.finished(await flow.submit(name, 'push', { service: 'loadBalancer' }))
    expect([pushed.status, pushed.error]).toEqual(['succeeded', null])
    expect((await node())?.configureDigest).toBeNull()
    flow.reach.silent.delete('load-balancer-1')
    await until(async () => (await node())?.configureDigest !== null)
    expect((await node())?.installDigest).toBe(installed)
    expect(await heals(name)).toEqual([])
  })

  test('without the section nobody is touched', async () => {
    await flow.deployed('plain', appRelease({ web: 4, db: false }))
    await vanish('plain', 'web-4')
    await flow.deployed('watched', healed({ web: 1, db: false, balancer: false }))
    await vanish('watched', 'web-1')
    await firstHeal('watched')
    expect(await heals('plain')).toEqual([])
  })
})
