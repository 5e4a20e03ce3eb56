import { type QueryRange, queryPrometheusRange, type Series } from '../../lib/prometheus.ts'
import type { ReadContext, ServiceView } from '../contract.ts'
import { currentAlerts } from './current-alerts.ts'
import { asked } from './nodes.ts'
import type { MonitoringSpec } from './schema.ts'
import { type Word, words } from './words.ts'

/** Milliseconds that the charts show, and between two of their values. */
const shown = 3_600_000
const step = 30_000

/** The four golden signals: latency, traffic, errors, saturation. */
const signals: { title: string; metric: string }[] = [
  { title: 'Latency (95 of 100 requests)', metric: 'latency-p95' },
  { title: 'Traffic', metric: 'requests-per-second' },
  { title: 'Errors', metric: 'error-rate' },
  { title: 'Saturation: processors', metric: 'cpu' },
  { title: 'Saturation: memory', metric: 'memory' },
  { title: 'Saturation: disk', metric: 'disk' },
]

/** Charts of the last hour, one line per component, and the alerts of now. */
export async function view(context: ReadContext<MonitoringSpec>): Promise<ServiceView> {
  const to = Date.now()
  const range = { from: to - shown, to, step }
  const charts = signals.map(async ({ title, metric }) => {
    const { component, unit } = words.find(({ name }) => name === metric) as Word
    const series = await asked(context, (node) => queryPrometheusRange(context.reach, node, component, range))
    return {
      title,
      unit,
      lines: series.map((one) => ({ label: one.labels.component ?? '', points: pointsOf(one, range) })),
    }
  })
  return { charts: await Promise.all(charts), alerts: await currentAlerts(context) }
}

/** Of the time that the chart shows, and of no other. */
function pointsOf({ samples }: Series, { from, to }: QueryRange) {
  const shownOnes = samples.filter(({ at }) => at >= from && at <= to + step)
  return shownOnes.map(({ at, value }) => ({ at, value: Number.isFinite(value) ? value : null }))
}
