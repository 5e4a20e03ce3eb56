import type { Sample, ToolkitMetrics } from '../contract.ts'
import { nodeState, type ServerState } from './node-state.ts'
import type { LoadBalancerSpec } from './schema.ts'
import { backendsOf } from './targets.ts'

/** Figure -> what HAProxy calls it, of a whole backend. The first three count from the process's start. */
const figures: Record<string, (row: ServerState) => number> = {
  requests: ({ sessionsTotal }) => sessionsTotal,
  responses: ({ responses }) => Object.values(responses).reduce((sum, count) => sum + count, 0),
  'responses-5xx': ({ responses }) => responses['5xx'],
  'requests-at-hand': ({ sessions, queue }) => sessions + queue,
}

/** Backend -> the component that it sends to. */
function componentsBehind(spec: LoadBalancerSpec): Map<string, string> {
  return new Map(
    [...backendsOf(spec).values()].flatMap(({ backend, to }) =>
      typeof to === 'string' ? [[backend, to] as const] : [],
    ),
  )
}

/** What each node's HAProxy knows of the traffic of components. */
export const metrics: ToolkitMetrics<LoadBalancerSpec> = {
  offers: (spec) =>
    Object.fromEntries([...componentsBehind(spec).values()].map((component) => [component, Object.keys(figures)])),

  async read({ reach, machines, spec }) {
    const backends = componentsBehind(spec)
    const answers = await Promise.allSettled(
      machines.map(async (node) => {
        const { servers } = await nodeState(reach, node)
        return servers.filter(({ server }) => server === 'BACKEND').flatMap((row) => samplesOf(row, node.name))
      }),
    )
    const failed = answers.find((answer) => answer.status === 'rejected')
    if (failed && answers.every(({ status }) => status === 'rejected')) throw failed.reason
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))

    function samplesOf(row: ServerState, source: string): Sample[] {
      const component = backends.get(row.backend)
      if (component === undefined) return []
      return Object.entries(figures).map(([metric, value]) => ({
        component,
        metric,
        value: value(row),
        source: `${source}/${row.backend}`,
      }))
    }
  },
}
