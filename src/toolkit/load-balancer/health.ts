import type { HealthFinding, ReadContext } from '../contract.ts'
import { nodeState, type ServerState } from './node-state.ts'
import type { LoadBalancerSpec } from './schema.ts'
import { backendsOf } from './targets.ts'

/** Every backend, as the nodes that answer see it. Throws as `nodeState` when none does. */
export async function health({ spec, reach, machines }: ReadContext<LoadBalancerSpec>): Promise<HealthFinding[]> {
  if (machines.length === 0) return []
  const answers = await Promise.allSettled(machines.map((node) => nodeState(reach, node)))
  const rows = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value.servers : []))
  const failed = answers.find((answer) => answer.status === 'rejected')
  if (failed && answers.every(({ status }) => status === 'rejected')) throw failed.reason
  return [...backendsOf(spec).keys()].map((backend) => backendHealth(backend, rows))
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
