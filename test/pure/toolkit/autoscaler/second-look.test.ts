import { expect, test } from 'vitest'
import { autoscalerSchema, type Policy } from '../../../../src/toolkit/autoscaler/schema.ts'
import { watch } from '../../../../src/toolkit/autoscaler/watch.ts'
import type { Sample, WatchContext } from '../../../../src/toolkit/contract.ts'

const target = { metric: 'requests-per-second-per-machine', value: 50 }

/** Looks at one machine whose load balancer has counted so many requests by then. */
function looker(policy: object) {
  const spec = autoscalerSchema.parse({ component: 'web', min: 1, max: 9, target, ...policy })
  const memo: Record<string, unknown> = {}
  return async (seconds: number, count: number) => {
    const samples = ['requests', 'responses', 'responses-5xx', 'requests-at-hand'].map(
      (metric): Sample => ({ component: 'web', metric, value: metric === 'requests' ? count : 0, source: 'lb-1' }),
    )
    const context = {
      spec,
      now: seconds * 1000,
      state: {},
      memo,
      rows: [],
      overrides: {},
      operation: null,
      components: [{ name: 'web', replicas: 1, placement: {} }],
      metrics: async () => ({ samples, silent: [] }),
    }
    const outcome = await watch.look(context as unknown as WatchContext<Policy>)
    return { again: outcome?.again, scale: outcome?.operation?.request.scale }
  }
}

test('load that came between two looks is measured by a second look, so that one change does', async () => {
  const look = looker({ interval: '5s' })
  await look(0, 0)
  await look(5, 150)
  expect(await look(10, 150 + 2 * 30 + 3 * 300)).toEqual({ again: 1_000, scale: undefined })
  expect(await look(11, 150 + 2 * 30 + 4 * 300)).toEqual({ again: undefined, scale: { web: 6 } })
})

test('load that was gone at the second look changes nothing', async () => {
  const look = looker({ interval: '5s' })
  await look(0, 0)
  await look(5, 150)
  expect((await look(10, 150 + 900)).again).toBe(1_000)
  expect(await look(11, 150 + 900 + 30)).toEqual({ again: undefined, scale: undefined })
})
