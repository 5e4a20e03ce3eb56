import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ReadContext } from '../../../src/toolkit/contract.ts'
import { routes } from '../../../src/toolkit/monitoring/routes.ts'
import type { MonitoringSpec } from '../../../src/toolkit/monitoring/schema.ts'
import { monitoring } from '../../../src/toolkit/monitoring/service.ts'
import { type Behaviour, type Daemons, startDaemons } from '../../support/daemons.ts'

let daemons: Daemons
const context = (...names: string[]) => daemons.context(...names)

beforeAll(async () => {
  daemons = await startDaemons()
})
beforeEach(() => {
  daemons.behaviours.clear()
  daemons.posted.length = 0
})
afterAll(() => daemons?.close())

const read = (id: string, on: ReadContext<MonitoringSpec>, params = {}, query = {}) =>
  routes.find((route) => route.id === id)?.read?.(on, params, query)

/** A Prometheus whose every figure is this. */
const saying =
  (value: string, at = Date.now()): Behaviour =>
  () => ({
    body: JSON.stringify({
      status: 'success',
      data: { resultType: 'vector', result: [{ metric: { component: 'web' }, value: [at / 1000, value] }] },
    }),
  })

const reads: [string, object, object][] = [
  ['current', {}, { by: 'component' }],
  ['metric', { metric: 'cpu' }, { by: 'component' }],
  ['query', {}, { query: 'up' }],
  ['targets', {}, {}],
  ['alerts', {}, {}],
  ['silences', {}, {}],
]

describe.each(reads)('a read (%s)', (id, params, query) => {
  test.each<[string, Behaviour | undefined, RegExp]>([
    ['gone', undefined, /monitoring-1: connection refused/],
    ['ill', () => ({ status: 503, body: 'starting' }), /monitoring-1.*503/],
    ['no such thing', () => ({ body: '<html>welcome</html>' }), /monitoring-1.*(not understood|no JSON)/],
  ])('of one that is %s names the machine, what was found and what to do', async (_, behaviour, message) => {
    daemons.behaviours.set('monitoring-1', behaviour)
    await expect(read(id, context('monitoring-1'), params, query)).rejects.toMatchObject({
      code: 'service-failed',
      message: expect.stringMatching(message),
      machine: 'monitoring-1',
      fix: expect.stringContaining('--machine monitoring-1'),
    })
  })

  test('of two, where none answers, says so of each', async () => {
    daemons.behaviours.set('monitoring-2', () => ({ status: 500, body: '' }))
    await expect(read(id, context('monitoring-1', 'monitoring-2'), params, query)).rejects.toMatchObject({
      message: expect.stringMatching(/monitoring-1: connection refused; .*monitoring-2.*500/),
    })
  })
})

test('one that takes a connection and never answers is given up after a time, and told by name', async () => {
  daemons.behaviours.set('monitoring-1', () => undefined)
  const answers = reads.map(([id, params, query]) => read(id, context('monitoring-1'), params, query))
  for (const answer of await Promise.allSettled([...answers, monitoring.view?.(context('monitoring-1'))]))
    expect(answer).toMatchObject({
      status: 'rejected',
      reason: { code: 'service-failed', message: expect.stringMatching(/monitoring-1.*no answer within 5000 ms/) },
    })
})

test('where the first of two is gone the second answers', async () => {
  daemons.behaviours.set('monitoring-2', saying('0.5'))
  const on = context('monitoring-1', 'monitoring-2')
  expect(await read('metric', on, { metric: 'cpu' }, { by: 'component' })).toMatchObject({
    series: [{ component: 'web', samples: [{ value: 0.5 }] }],
  })
})

describe('one that lies', () => {
  const week = 7 * 86_400_000
  const current = async (behaviour: Behaviour) => {
    daemons.behaviours.set('monitoring-1', behaviour)
    const { metrics } = (await read('current', context('monitoring-1'), {}, { by: 'component' })) as {
      metrics: { value: number | null }[]
    }
    return [...new Set(metrics.map(({ value }) => value))]
  }

  test('no number is no value, a negative one is shown as it is told', async () => {
    expect(await current(saying('NaN'))).toEqual([null])
    expect(await current(saying('+Inf'))).toEqual([null])
    expect(await current(saying('-3'))).toEqual([-3])
  })

  test('what is a week old, or of next week, is nothing of now', async () => {
    expect(await current(saying('0.5', Date.now() - week))).toEqual([null])
    expect(await current(saying('0.5', Date.now() + week))).toEqual([null])
  })

  test('where a time is shown, it is the one that was told', async () => {
    const at = Date.now() - week
    daemons.behaviours.set('monitoring-1', saying('0.5', at))
    expect(await read('query', context('monitoring-1'), {}, { query: 'up' })).toMatchObject({
      series: [{ samples: [{ at: new Date(at).toISOString(), value: 0.5 }] }],
    })
  })

  test('the page draws neither', async () => {
    const range =
      (pairs: [number, string][]): Behaviour =>
      (path) => ({
        body: JSON.stringify(
          path.endsWith('query_range')
            ? { data: { resultType: 'matrix', result: [{ metric: { component: 'web' }, values: pairs }] } }
            : path.endsWith('/api/v1/alerts')
              ? { data: { alerts: [] } }
              : [],
        ),
      })
    const now = Date.now() / 1000
    daemons.behaviours.set(
      'monitoring-1',
      range([
        [now - week / 1000, '1'],
        [now - 60, 'NaN'],
        [now - 30, '2'],
      ]),
    )
    const { charts } = (await monitoring.view?.(context('monitoring-1'))) ?? { charts: [] }
    expect(charts.map(({ lines }) => lines[0]?.points.map(({ value }) => value))).toEqual(charts.map(() => [null, 2]))
    expect(charts.length).toBeGreaterThan(0)
  })
})
