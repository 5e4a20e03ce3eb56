import type { Sample } from '../contract.ts'
import type { Readings } from './decide.ts'

interface Remembered {
  at: number
  value: number
}

/** Figures of a component's traffic from those of the services that carry it. Counters become rates between two looks. */
export function trafficReadings(
  { samples, silent }: { samples: Sample[]; silent: string[] },
  component: string,
  now: number,
  memo: Record<string, Remembered>,
): Readings | undefined {
  const own = samples.filter((sample) => sample.component === component)
  if (own.length === 0) {
    const problem = silent.length > 0 ? silent.join('; ') : `no load balancer carries ${component}`
    return Object.fromEntries(trafficMetrics.map((metric) => [metric, { problem }]))
  }
  let isKnown = false

  /** What a counter went up by since the last look, and over how many seconds; each source by itself. */
  function rise(metric: string): { count: number; rate: number } {
    const rises = own
      .filter((sample) => sample.metric === metric)
      .map(({ source, value }) => {
        const key = `${metric} ${source}`
        const before = memo[key]
        memo[key] = { at: now, value }
        if (!before || now <= before.at) return { count: 0, rate: 0 }
        isKnown = true
        // One that began anew counts from zero.
        const count = value >= before.value ? value - before.value : value
        return { count, rate: count / ((now - before.at) / 1000) }
      })
    return rises.reduce((sum, { count, rate }) => ({ count: sum.count + count, rate: sum.rate + rate }), {
      count: 0,
      rate: 0,
    })
  }

  const requests = rise('requests')
  const responses = rise('responses')
  const failures = rise('responses-5xx')
  const atHand = own.filter(({ metric }) => metric === 'requests-at-hand').reduce((sum, { value }) => sum + value, 0)
  if (!isKnown) return undefined
  return {
    'requests-per-second-per-machine': { value: requests.rate, at: now },
    'error-rate': { value: responses.count === 0 ? 0 : failures.count / responses.count, at: now },
    'queue-length': { value: atHand, at: now },
  }
}

/** Metrics that somebody who carries the traffic has to know. */
export const trafficMetrics = ['requests-per-second-per-machine', 'error-rate', 'queue-length']

/** What a service has to offer for that. */
export const neededFigures = ['requests', 'responses', 'responses-5xx', 'requests-at-hand']
