import { describe, expect, test } from 'vitest'
import { measuredReadings } from '../../../../src/toolkit/autoscaler/measured.ts'
import { autoscalerSchema, type Policy } from '../../../../src/toolkit/autoscaler/schema.ts'
import { autoscaler } from '../../../../src/toolkit/autoscaler/service.ts'
import { trafficReadings } from '../../../../src/toolkit/autoscaler/traffic.ts'
import type { Sample, WatchContext } from '../../../../src/toolkit/contract.ts'
import { queries } from '../../../../src/toolkit/monitoring/queries.ts'

const rps = 'requests-per-second-per-machine'

/** What nodes say: requests, answers, errors among them, requests at hand. */
function samples(nodes: Record<string, [number, number, number, number]>): Sample[] {
  return Object.entries(nodes).flatMap(([source, [requests, responses, failures, atHand]]) => [
    { component: 'web', metric: 'requests', value: requests, source },
    { component: 'web', metric: 'responses', value: responses, source },
    { component: 'web', metric: 'responses-5xx', value: failures, source },
    { component: 'web', metric: 'requests-at-hand', value: atHand, source },
  ])
}

describe('figures of traffic', () => {
  const read = (memo: Record<string, never>, now: number, nodes: Parameters<typeof samples>[0]) =>
    trafficReadings({ samples: samples(nodes), silent: [] }, 'web', now, memo)

  test('are rates between two looks, summed up over nodes', () => {
    const memo = {}
    expect(read(memo, 0, { a: [100, 90, 5, 2], b: [0, 0, 0, 1] })).toBeUndefined()
    expect(read(memo, 10_000, { a: [400, 390, 35, 3], b: [100, 100, 10, 4] })).toEqual({
      [rps]: { value: 40, at: 10_000 },
      'error-rate': { value: 0.1, at: 10_000 },
      'queue-length': { value: 7, at: 10_000 },
    })
  })

  test('a process that began anew counts from zero, and a node that is new from its second look', () => {
    const memo = {}
    read(memo, 0, { a: [1_000_000, 0, 0, 0] })
    expect(read(memo, 10_000, { a: [50, 0, 0, 0], b: [9_999, 0, 0, 0] })?.[rps]?.value).toBe(5)
    expect(read(memo, 20_000, { a: [150, 0, 0, 0], b: [10_099, 0, 0, 0] })?.[rps]?.value).toBe(20)
  })

  test('without an answer there is none, and why is told', () => {
    const nothing = (silent: string[]) => trafficReadings({ samples: [], silent }, 'web', 0, {})?.[rps]
    expect(nothing(['loadBalancer: away'])).toEqual({ problem: 'loadBalancer: away' })
    expect(nothing([])).toEqual({ problem: 'no load balancer carries web' })
  })
})

describe('figures that monitoring has measured', () => {
  const policy = autoscalerSchema.parse({
    component: 'web',
    max: 3,
    target: { metric: 'latency-p95', value: 0.3 },
    targets: [
      { promql: 'sum(jobs)', value: 1 },
      { metric: rps, value: 5 },
    ],
  })

  async function readings(latest: (expression: string) => Promise<{ at: number; value: number } | undefined>) {
    const context = { spec: policy, queries: { expressionOf: queries.expressionOf, latest } }
    return measuredReadings(context as unknown as WatchContext<Policy>)
  }

  test('are asked by their series and as they are written; without a request there is no latency', async () => {
    const asked: string[] = []
    const found = await readings(async (expression) => {
      asked.push(expression)
      return { at: 7, value: Number.NaN }
    })
    expect(asked).toEqual(['component:request_duration_seconds:p95{component="web"}', 'sum(jobs)'])
    expect(found).toEqual({ 'latency-p95': { value: 0, at: 7 }, 'sum(jobs)': { value: Number.NaN, at: 7 } })
  })

  test('one that does not answer, and a series that is not there, are no figures', async () => {
    expect(await readings(async () => undefined)).toEqual({
      'latency-p95': { problem: 'no series answers' },
      'sum(jobs)': { problem: 'no series answers' },
    })
    const away = await readings(() => Promise.reject(new Error('monitoring-1 does not answer')))
    expect(away['sum(jobs)']).toEqual({ problem: 'monitoring-1 does not answer' })
  })

  test('without monitoring they are refused when given, with the place', () => {
    const components = [{ name: 'web' }] as never
    expect(autoscaler.validate(policy, components, [])).toEqual([
      expect.objectContaining({ path: 'target.metric', message: 'needs `toolkit.monitoring`, which is not there' }),
      expect.objectContaining({ path: 'targets.0.promql' }),
      expect.objectContaining({
        path: 'targets.1.metric',
        message: expect.stringContaining('known to a load balancer only'),
      }),
    ])
  })
})
