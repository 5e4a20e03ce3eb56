import type { WatchContext } from '../contract.ts'
import type { Reading, Readings } from './decide.ts'
import { figuresOf, type Policy } from './schema.ts'

/** Metrics that monitoring keeps under the same word. */
export const measuredMetrics = ['latency-p95']

/** Figures that monitoring has measured, and expressions that it is asked. */
export async function measuredReadings({ spec, queries }: WatchContext<Policy>): Promise<Readings> {
  const asked = figuresOf(spec).filter(({ name, promql }) => promql || measuredMetrics.includes(name))
  const answers = await Promise.all(
    asked.map(async ({ name, promql }): Promise<[string, Reading]> => {
      const expression = promql ? name : queries?.expressionOf(name, spec.component)
      if (!queries || expression === undefined) return [name, { problem: 'there is no monitoring' }]
      try {
        const found = await queries.latest(expression)
        if (!found) return [name, { problem: 'no series answers' }]
        // Without a request there is no latency; that is the least that there can be.
        const value = !promql && Number.isNaN(found.value) ? 0 : found.value
        return [name, { value, at: found.at }]
      } catch (error) {
        return [name, { problem: (error as Error).message }]
      }
    }),
  )
  return Object.fromEntries(answers)
}
