import { latestValue } from '../../lib/prometheus.ts'
import type { ToolkitQueries } from '../contract.ts'
import { asked } from './nodes.ts'
import { promqlFault } from './promql.ts'
import type { MonitoringSpec } from './schema.ts'
import { words } from './words.ts'

/** What others ask Prometheus for: the autoscaler. */
export const queries: ToolkitQueries<MonitoringSpec> = {
  fault(expression) {
    const fault = promqlFault(expression)
    return fault && `is no PromQL at character ${fault.at}${fault.near ? `, near ${fault.near}` : ''}`
  },
  expressionOf(word, component) {
    const series = words.find(({ name }) => name === word)?.component
    return series && `${series}{component=${JSON.stringify(component)}}`
  },
  latest: (context, expression) => asked(context, (node) => latestValue(context.reach, node, expression)),
}
