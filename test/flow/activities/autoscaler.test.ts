import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { KitbagError } from '../../../src/model/errors.ts'
import type { JsonObject } from '../../../src/model/json.ts'
import { autoscaler } from '../../../src/toolkit/autoscaler/service.ts'
import { appRelease } from '../../support/app.ts'
import { type Flow, startFlow } from '../../support/flow.ts'
import { until } from '../../support/until.ts'

let flow: Flow

beforeAll(async () => {
  flow = await startFlow({ services: { autoscaler: autoscaler as never } })
})
afterAll(() => flow?.stop())
afterEach(async () => {
  flow.cloud.hook = undefined
  flow.reach.hook = undefined
  flow.balancer.figures = undefined
  for (const { name } of await flow.store.deployments.list(flow.parts.tenantId, { limit: 50 }))
    await flow.finished(await flow.submit(name, 'destroy'))
})

const policy = {
  component: 'web',
  min: 1,
  max: 4,
  target: { metric: 'requests-per-second-per-machine', value: 50 },
  interval: '1s',
  cooldown: { out: '0s', in: '0s' },
  stabilisation: '1s',
  warmUp: '0s',
}

function scaled(section: object = {}, web = 1) {
  const spec = autoscaler.schema.parse({ ...policy, ...section }) as unknown as JsonObject
  return appRelease({ web, db: false, services: [{ name: 'autoscaler', kind: 'autoscaler', spec }] })
}

/** From now on so many requests come in every second. */
function load(rate: number): void {
  const [began, before] = [Date.now(), flow.balancer.figures?.().requests ?? 0]
  flow.balancer.figures = () => {
    const requests = before + (rate * (Date.now() - began)) / 1000
    return { requests, responses: requests, 'responses-5xx': 0, 'requests-at-hand': 0 }
  }
}

const idOf = async (name: string) => (await flow.store.deployments.getByName(flow.parts.tenantId, name))?.id ?? ''

async function decisions(name: string) {
  return (await flow.store.watches.decisions(await idOf(name), 'autoscaler', { limit: 500 })).reverse()
}

const heard = (name: string, text: string) =>
  until(async () => (await decisions(name)).some(({ message }) => message.includes(text)))

async function sizeOf(name: string): Promise<string> {
  const rows = await flow.store.machines.list(await idOf(name))
  const open = await flow.store.watches.glance(await idOf(name), [])
  const web = rows.filter(({ component }) => component === 'web')
  return `${web.filter(({ status }) => status === 'ready').length} of ${web.length}${open?.operation ? ' busy' : ''}`
}

describe('an autoscaler', () => {
  test('follows the load, out and in, and stores a decision only where something changed', async () => {
    load(20)
    await flow.deployed('follows', scaled())
    await heard('follows', '1 machines: requests-per-second-per-machine is')
    load(180)
    await until(async () => (await sizeOf('follows')) === '4 of 4')
    expect((await flow.machines('follows')).cloud).toEqual(['load-balancer-1', 'web-1', 'web-2', 'web-3', 'web-4'])
    load(20)
    await until(async () => (await sizeOf('follows')) === '1 of 1')
    const told = await decisions('follows')
    const reasons = told.map(({ data }) => `${data.from} ${data.to} ${data.reason}`)
    expect(reasons[0]).toBe('1 1 steady')
    expect(reasons).toContainEqual(expect.stringMatching(/^[123] 4 out$/))
    expect(reasons).toContainEqual(expect.stringMatching(/^4 [123] in$/))
    for (const [i, reason] of reasons.entries()) if (i > 0) expect(reason).not.toBe(reasons[i - 1])
    const out = told.find(({ data }) => data.reason === 'out')
    expect(out?.data.inputs).toMatchObject({ 'requests-per-second-per-machine': { value: expect.any(Number) } })
  })

  test('figures that nobody tells hold the size, and a person is told', async () => {
    load(120)
    await flow.deployed('blind', scaled())
    await until(async () => (await sizeOf('blind')) === '3 of 3')
    flow.balancer.figures = () => {
      throw new KitbagError('service-failed', 'load-balancer-1 does not answer')
    }
    await heard(
      'blind',
      'machines are held: requests-per-second-per-machine: loadBalancer: load-balancer-1 does not answer',
    )
    expect((await decisions('blind')).at(-1)?.level).toBe('alert')
    expect(await sizeOf('blind')).toBe('3 of 3')
  })

  test('a size below min needs no figures', async () => {
    flow.balancer.figures = () => {
      throw new KitbagError('service-failed', 'nothing here')
    }
    await flow.deployed('least', scaled({ min: 2 }))
    await until(async () => (await sizeOf('least')) === '2 of 2')
  })

  test('a cloud without room: undone, a person is told, and the next try waits', async () => {
    load(20)
    await flow.deployed('full', scaled())
    await heard('full', 'machines: requests-per-second-per-machine is')
    flow.cloud.hook = (call, phase) => {
      if (call === 'createMachine' && phase === 'before') throw new KitbagError('capacity-exceeded', 'no room here')
    }
    load(180)
    await heard('full', 'failed: no room here')
    await heard('full', 'the next try is in 60 s')
    expect(await sizeOf('full')).toBe('1 of 1')
    const operations = await flow.store.operations.list(flow.parts.tenantId, { deployment: 'full' }, { limit: 50 })
    expect(operations.map(({ kind, status }) => `${kind} ${status}`)).toEqual(['scale failed', 'deploy succeeded'])
  })

  test('a machine that cannot be set up is removed and does not count', async () => {
    load(20)
    await flow.deployed('broken', scaled())
    await heard('broken', 'machines: requests-per-second-per-machine is')
    flow.reach.hook = ({ name }) => (name === 'web-2' ? 'package:nodejs' : undefined)
    load(90)
    await heard('broken', 'the next try is in 60 s')
    expect(await sizeOf('broken')).toBe('1 of 1')
    expect((await flow.machines('broken')).cloud).toEqual(['load-balancer-1', 'web-1'])
    expect((await flow.store.overrides.list(await idOf('broken'))).scale).toBeUndefined()
  })

  test('paused it changes nothing, and says so; resumed it goes on', async () => {
    load(20)
    await flow.deployed('paused', scaled())
    const id = await idOf('paused')
    await flow.store.overrides.set(id, 'autoscaler', { pause: { paused: true } })
    await heard('paused', 'it is paused')
    load(180)
    await heard('paused', 'it is paused')
    expect(await sizeOf('paused')).toBe('1 of 1')
    await flow.store.overrides.set(id, 'autoscaler', { pause: null })
    await until(async () => (await sizeOf('paused')) === '4 of 4')
  })
})
