import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { KitbagError } from '../../../src/model/errors.ts'
import type { OperationRecord } from '../../../src/model/operation.ts'
import { appRelease } from '../../support/app.ts'
import { type Flow, startFlow } from '../../support/flow.ts'

let flow: Flow

beforeAll(async () => {
  flow = await startFlow()
})

afterAll(() => flow?.stop())

beforeEach(() => flow.reset())

const all = ['db-1', 'load-balancer-1', 'web-1', 'web-2']

/** Position of a unit among those of an operation, in order of their end. */
async function order(operation: OperationRecord): Promise<(id: string) => number> {
  const units = await flow.units(operation)
  return (id) => units.indexOf(`main ${id} done`)
}

describe('deploy', () => {
  test('makes every machine, in the order that facts and traffic ask for', async () => {
    const operation = await flow.deployed('first', appRelease({ migrate: 'node migrate.js' }))
    expect(operation).toMatchObject({ status: 'succeeded', error: null })
    expect(await flow.machines('first')).toEqual({ rows: all, cloud: all })
    const units = await flow.units(operation)
    expect(units.every((unit) => unit.endsWith(' done'))).toBe(true)
    expect(operation.result?.units).toBe(units.length)
    const at = await order(operation)
    expect(at('db-1/ready')).toBeLessThan(at('web-1/migrate'))
    expect(at('web-1/migrate')).toBeLessThan(at('web-2/configure'))
    expect(at('web-1/ready')).toBeLessThan(at('web-1/join/loadBalancer'))
    expect(flow.balancer.calls.filter((call) => call.startsWith('join')).sort()).toEqual(['join web-1', 'join web-2'])
    expect(await flow.releaseInForce('first')).toBe(1)
  })

  test('remembers the size that a machine was made in, where there was no room for the planned one', async () => {
    flow.cloud.hook = (call, when, name) => {
      // The one that was made just now: other deployments have one of the name, too.
      const machine = [...flow.cloud.machines.values()].findLast((one) => one.name === name)
      if (call === 'createMachine' && when === 'after' && machine && name === 'web-1') machine.size = 'larger'
    }
    await flow.deployed('elsewhere', appRelease())
    const deployment = await flow.store.deployments.getByName(flow.parts.tenantId, 'elsewhere')
    const rows = await flow.store.machines.list(deployment?.id ?? '')
    const sizes = Object.fromEntries(rows.map(({ name, spec }) => [name, spec.size]))
    expect(sizes).toMatchObject({ 'web-1': 'larger', 'web-2': 'any' })
    expect((await flow.deployed('elsewhere', appRelease())).result?.units).toBe(0)
  })

  test('tells where everything is, without secrets', async () => {
    const operation = await flow.deployed('told', appRelease())
    const outputs = operation.result?.outputs as Record<string, { addresses: string[]; url: string; password?: string }>
    expect(Object.keys(outputs).sort()).toEqual(['db', 'loadBalancer', 'web'])
    expect(outputs.web?.addresses).toHaveLength(2)
    expect(outputs.db?.password).toBe('[secret]')
  })

  test('again with nothing changed does nothing', async () => {
    await flow.deployed('same', appRelease())
    flow.reach.programs.length = 0
    const again = await flow.deployed('same', appRelease())
    expect([again.status, again.result?.units]).toEqual(['succeeded', 0])
    expect(flow.reach.programs).toEqual([])
  })

  test('a new version is installed beside the old one, then machine by machine out of traffic and back', async () => {
    await flow.deployed('update', appRelease())
    flow.balancer.calls.length = 0
    const operation = await flow.deployed('update', appRelease({ version: '2' }))
    expect(operation.status).toBe('succeeded')
    expect(flow.balancer.calls.filter((call) => !call.startsWith('push'))).toEqual([
      'leave web-1',
      'join web-1',
      'leave web-2',
      'join web-2',
    ])
    const at = await order(operation)
    expect(at('web-1/install')).toBeLessThan(at('web-1/leave/loadBalancer'))
    expect(await flow.machines('update')).toEqual({ rows: all, cloud: all })
    expect(await flow.releaseInForce('update')).toBe(2)
  })

  test('a migration runs once per release and not again when going back and forth', async () => {
    const migrations = () => flow.reach.programs.filter((program) => program === 'web-1: command:migrate').length
    await flow.deployed('migrated', appRelease({ migrate: 'node migrate.js' }))
    await flow.deployed('migrated', appRelease({ migrate: 'node migrate.js', version: '2' }))
    expect(migrations()).toBe(2)
    const back = await flow.finished(await flow.submit('migrated', 'rollback', { release: 1 }))
    expect([back.status, await flow.releaseInForce('migrated'), migrations()]).toEqual(['succeeded', 1, 2])
  })

  test('with the digest of a plan that does not hold any more is refused', async () => {
    const operation = await flow.deployed('stale', appRelease(), { plan: 'f'.repeat(64) })
    expect(operation).toMatchObject({ status: 'failed', error: { code: 'plan-stale' } })
    expect(await flow.machines('stale')).toEqual({ rows: [], cloud: [] })
  })

  test('replacing the database’s machine is refused unless its data may be lost', async () => {
    await flow.deployed('precious', appRelease())
    const refused = await flow.deployed('precious', appRelease({ dbMemory: 2 ** 30 }))
    expect(refused).toMatchObject({ status: 'failed', error: { code: 'data-loss-refused' } })
    expect(refused.error?.message).toContain('db-1')
    expect(await flow.machines('precious')).toEqual({ rows: all, cloud: all })
    const allowed = await flow.deployed('precious', appRelease({ dbMemory: 2 ** 30 }), { allowDataLoss: ['db'] })
    expect(allowed.status).toBe('succeeded')
    const replaced = ['db-2', 'load-balancer-1', 'web-1', 'web-2']
    expect(await flow.machines('precious')).toEqual({ rows: replaced, cloud: replaced })
  })
})

describe('the other kinds', () => {
  test('scale adds and removes machines, and holds over the next deploy', async () => {
    await flow.deployed('scaled', appRelease())
    expect((await flow.finished(await flow.submit('scaled', 'scale', { scale: { web: 4 } }))).status).toBe('succeeded')
    const four = ['db-1', 'load-balancer-1', 'web-1', 'web-2', 'web-3', 'web-4']
    expect(await flow.machines('scaled')).toEqual({ rows: four, cloud: four })
    await flow.deployed('scaled', appRelease({ version: '2' }))
    expect((await flow.machines('scaled')).rows).toEqual(four)
    expect((await flow.finished(await flow.submit('scaled', 'scale', { scale: { web: 1 } }))).status).toBe('succeeded')
    const one = ['db-1', 'load-balancer-1', 'web-1']
    expect(await flow.machines('scaled')).toEqual({ rows: one, cloud: one })
    await flow.deployed('scaled', appRelease({ web: 3, version: '2' }))
    expect((await flow.machines('scaled')).rows).toHaveLength(5)
  })

  test('a failed scale leaves the number as it was', async () => {
    await flow.deployed('unscaled', appRelease())
    flow.reach.hook = ({ name }) => (name === 'web-3' ? 'package:nodejs' : undefined)
    const operation = await flow.finished(await flow.submit('unscaled', 'scale', { scale: { web: 3 } }))
    expect(operation.status).toBe('failed')
    flow.reach.hook = undefined
    expect(await flow.machines('unscaled')).toEqual({ rows: all, cloud: all })
    expect((await flow.deployed('unscaled', appRelease())).result?.units).toBe(0)
  })

  test('scaling what does not exist names what does', async () => {
    await flow.deployed('typo', appRelease({ db: false }))
    const operation = await flow.finished(await flow.submit('typo', 'scale', { scale: { wep: 3 } }))
    expect(operation).toMatchObject({ status: 'failed', error: { code: 'invalid-request' } })
    expect(operation.error?.problems).toMatchObject([{ path: 'scale.wep', nearest: 'web' }])
  })

  test('check tells what differs, changes nothing, and the next deploy puts it right', async () => {
    await flow.deployed('drifting', appRelease({ db: false, balancer: false, web: 1 }))
    const operation = await flow.finished(await flow.submit('drifting', 'check'))
    expect(operation.status).toBe('succeeded')
    expect(operation.result?.drift).toContainEqual({ machine: 'web-1', resource: 'package:nodejs', changes: ['made'] })
    const repaired = await flow.deployed('drifting', appRelease({ db: false, balancer: false, web: 1 }))
    expect(repaired.result?.units).toBeGreaterThan(0)
    expect((await flow.deployed('drifting', appRelease({ db: false, balancer: false, web: 1 }))).result?.units).toBe(0)
  })

  test('push brings a stored override onto the service’s machines while they run', async () => {
    await flow.deployed('pushed', appRelease())
    const { id } = (await flow.store.deployments.getByName(flow.parts.tenantId, 'pushed')) ?? { id: '' }
    await flow.store.overrides.set(id, 'loadBalancer', { 'web-1': { weight: 5 } })
    const operation = await flow.finished(await flow.submit('pushed', 'push', { service: 'loadBalancer' }))
    expect(operation.status).toBe('succeeded')
    expect(await flow.units(operation)).toEqual(['main load-balancer-1/configure done'])
    expect(flow.balancer.calls).toContain('push load-balancer-1')
    expect((await flow.deployed('pushed', appRelease())).result?.units).toBe(0)
  })

  test('a push that one of two machines cannot take is in force on the other, and says which is behind', async () => {
    const release = () => appRelease({ db: false, balancers: 2 })
    await flow.deployed('behind', release())
    const { id } = (await flow.store.deployments.getByName(flow.parts.tenantId, 'behind')) ?? { id: '' }
    const digests = async () =>
      (await flow.store.machines.list(id))
        .filter(({ component }) => component === 'loadBalancer')
        .map(({ configureDigest }) => configureDigest !== null)
    await flow.store.overrides.set(id, 'loadBalancer', { 'web-1': { weight: 5 } })
    const away = new Set(['load-balancer-2'])
    flow.reach.hook = ({ name }) => {
      if (away.has(name)) throw new KitbagError('machine-unreachable', `${name} cannot be reached`, { retryable: true })
    }
    const push = async () => flow.finished(await flow.submit('behind', 'push', { service: 'loadBalancer' }))
    expect(await push()).toMatchObject({
      status: 'succeeded',
      result: { units: 1, behind: [{ machine: 'load-balancer-2', message: 'load-balancer-2 cannot be reached' }] },
    })
    expect(await digests()).toEqual([true, false])
    away.add('load-balancer-1')
    expect(await push()).toMatchObject({ status: 'failed', error: { code: 'machine-unreachable' } })
    away.clear()
    const whole = await push()
    expect([whole.status, whole.result?.behind, await digests()]).toEqual(['succeeded', undefined, [true, true]])
    flow.reach.hook = undefined
  })

  test('destroy leaves nothing, and the name is free again', async () => {
    await flow.deployed('gone', appRelease())
    const operation = await flow.finished(await flow.submit('gone', 'destroy'))
    expect(operation.status).toBe('succeeded')
    expect(await flow.store.deployments.getByName(flow.parts.tenantId, 'gone')).toBeUndefined()
    expect([...flow.cloud.machines.values()].filter(({ tags }) => tags.deployment === operation.deploymentId)).toEqual(
      [],
    )
    expect((await flow.deployed('gone', appRelease())).status).toBe('succeeded')
  })
})

describe('one after the other', () => {
  test('of two deploys of one name one runs and the other waits, then plans against what is', async () => {
    const [first, second] = [
      await flow.deploy('twice', appRelease()),
      await flow.deploy('twice', appRelease({ web: 3 })),
    ]
    const done = await Promise.all([flow.finished(first), flow.finished(second)])
    expect(done.map(({ status }) => status)).toEqual(['succeeded', 'succeeded'])
    expect(done[0]?.finishedAt?.getTime()).toBeLessThanOrEqual(done[1]?.startedAt?.getTime() ?? 0)
    expect((await flow.machines('twice')).rows).toHaveLength(5)
  })

  test('the same Idempotency-Key gives the same operation', async () => {
    const first = await flow.deploy('once', appRelease(), {}, 'key-1')
    const second = await flow.deploy('once', appRelease(), {}, 'key-1')
    expect(second.id).toBe(first.id)
    expect(await flow.finished(first)).toMatchObject({ status: 'succeeded', error: null })
  })

  test('a destroy that would lose data is refused at its turn, and touches nothing', async () => {
    const deploy = await flow.deploy('kept', appRelease())
    const destroy = await flow.submit('kept', 'destroy', {})
    expect((await flow.finished(deploy)).status).toBe('succeeded')
    const refused = await flow.finished(destroy)
    expect(refused).toMatchObject({
      status: 'failed',
      error: { code: 'data-loss-refused', problems: [{ path: 'components.db' }] },
    })
    expect(refused.error?.fix).toContain('--allow-data-loss db')
    expect((await flow.machines('kept')).rows).toHaveLength(4)
  })

  test('a destroy asked for while deploying waits for it', async () => {
    const deploy = await flow.deploy('overtaken', appRelease())
    const destroy = await flow.submit('overtaken', 'destroy')
    expect((await flow.finished(deploy)).status).toBe('succeeded')
    expect((await flow.finished(destroy)).status).toBe('succeeded')
    expect([...flow.cloud.machines.values()].filter(({ tags }) => tags.deployment === deploy.deploymentId)).toEqual([])
  })

  test('a deploy that waits behind a destroy deploys anew', async () => {
    await flow.deployed('phoenix', appRelease())
    let go = () => {}
    const submitted = new Promise<void>((resolve) => {
      go = resolve
    })
    flow.cloud.hook = (call, phase) => (call === 'destroyMachine' && phase === 'before' ? submitted : undefined)
    const destroy = await flow.submit('phoenix', 'destroy')
    const deploy = await flow.deploy('phoenix', appRelease({ web: 3 }))
    go()
    expect((await flow.finished(destroy)).status).toBe('succeeded')
    expect((await flow.finished(deploy)).status).toBe('succeeded')
    expect((await flow.machines('phoenix')).rows).toHaveLength(5)
  })
})
