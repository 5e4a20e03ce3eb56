import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decide, freshHistory } from '../../../../src/toolkit/autoscaler/decide.ts'
import { measuredReadings } from '../../../../src/toolkit/autoscaler/measured.ts'
import { autoscalerSchema, type Policy } from '../../../../src/toolkit/autoscaler/schema.ts'
import type { WatchContext } from '../../../../src/toolkit/contract.ts'
import { queries } from '../../../../src/toolkit/monitoring/queries.ts'
import { type Behaviour, type Daemons, startDaemons } from '../../../support/daemons.ts'

const week = 7 * 86_400_000
const answer = (result: object[]): Behaviour => {
  const body = JSON.stringify({ status: 'success', data: { resultType: 'vector', result } })
  return () => ({ body })
}
const saying = (value: string, at = Date.now()) => answer([{ metric: {}, value: [at / 1000, value] }])

const target = { promql: 'sum(jobs)', shared: true, value: 5 }
const policy = autoscalerSchema.parse({ component: 'web', min: 1, max: 9, target })

describe('an autoscaler whose Prometheus is not well holds the size, and says why', () => {
  let daemons: Daemons
  beforeAll(async () => {
    daemons = await startDaemons()
  })
  afterAll(() => daemons?.close())

  /** What is decided for four machines, from an answer over the wire to the size. */
  async function decided(behaviour: Behaviour | undefined) {
    daemons.behaviours.set('monitoring-1', behaviour)
    const asked = {
      expressionOf: queries.expressionOf,
      latest: (expression: string) => queries.latest(daemons.context('monitoring-1'), expression),
    }
    const readings = await measuredReadings({ spec: policy, queries: asked } as unknown as WatchContext<Policy>)
    const situation = {
      now: Date.now(),
      size: 4,
      paused: false,
      readings,
      others: 2,
      costs: { unknown: 'nobody asks' },
    }
    return decide(policy, situation, freshHistory)
  }

  test.each<[string, Behaviour | undefined, RegExp]>([
    ['gone', undefined, /monitoring-1: connection refused/],
    ['starting', () => ({ status: 503, body: 'Service Unavailable' }), /monitoring-1.*503/],
    ['slow', () => undefined, /monitoring-1.*no answer within 5000 ms/],
    ['something else', () => ({ body: '<html>hello</html>' }), /monitoring-1.*not understood/],
    ['without the series', answer([]), /no series answers/],
    ['telling no number', saying('NaN'), /no number/],
    ['telling a negative number', saying('-7'), /negative/],
    ['telling what is too much to be true', saying('+Inf'), /Infinity/],
    ['telling what was a week ago', saying('100', Date.now() - week), /old/],
    ['telling what will be in a week', saying('100', Date.now() + week), /ahead of the clock/],
  ])('%s', async (_, behaviour, why) => {
    const decision = await decided(behaviour)
    expect(decision).toMatchObject({ size: 4, reason: 'no-figures', alert: true })
    expect(decision.message).toMatch(why)
  })

  test('and goes on when it is well again', async () => {
    expect(await decided(saying('30'))).toMatchObject({ size: 6, reason: 'out', alert: false })
  })
})
