import type { MachineAccess } from '../../model/machine.ts'
import type { HealthFinding, ReadContext } from '../contract.ts'
import { type NodeState, nodeState, type ServerState } from './node-state.ts'
import type { LoadBalancerSpec } from './schema.ts'
import { backendsOf } from './targets.ts'
import { isOutdated } from './written.ts'

type Context = ReadContext<LoadBalancerSpec>

/** Every backend, as the nodes that answer see it, and nodes that run with an older configuration. Throws as `nodeState` when none answers. */
export async function health({ spec, reach, machines }: Context): Promise<HealthFinding[]> {
  if (machines.length === 0) return []
  const answers = await Promise.allSettled(
    machines.map(async (node) => {
      const state = await nodeState(reach, node)
      return { state, findings: await nodeFindings({ reach }, node, state) }
    }),
  )
  const answered = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
  const failed = answers.find((answer) => answer.status === 'rejected')
  if (failed && answered.length === 0) throw failed.reason
  const rows = answered.flatMap(({ state }) => state.servers)
  return [
    ...answered.flatMap(({ findings }) => findings),
    ...[...backendsOf(spec).keys()].map((backend) => backendHealth(backend, rows)),
  ]
}

async function nodeFindings(
  { reach }: Pick<Context, 'reach'>,
  node: MachineAccess,
  state: NodeState,
): Promise<HealthFinding[]> {
  if (!(await isOutdated(reach, node, state))) return []
  const message = 'its HAProxy runs with another configuration than its file holds: check and deploy again'
  return [{ subject: node.name, status: 'degraded', message }]
}

function backendHealth(subject: string, rows: ServerState[]): HealthFinding {
  const servers = rows.filter(({ backend, server }) => backend === subject && server !== 'BACKEND')
  const serves = ({ status }: ServerState) => status.startsWith('UP')
  if (!servers.some(serves)) return { subject, status: 'down', message: 'no machine serves: clients get 503' }
  // Those that somebody holds out are as they should be.
  const missing = servers.filter((row) => row.state === 'ready' && !serves(row)).map(({ server }) => server)
  if (missing.length === 0) return { subject, status: 'healthy', message: 'all machines in traffic pass their checks' }
  return { subject, status: 'degraded', message: `checks fail: ${[...new Set(missing)].sort().join(', ')}` }
}
