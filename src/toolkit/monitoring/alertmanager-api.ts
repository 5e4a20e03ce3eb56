import { httpOverReach } from '../../lib/http-over-reach.ts'
import { KitbagError } from '../../model/errors.ts'
import type { Json } from '../../model/json.ts'
import type { MachineAccess } from '../../model/machine.ts'
import type { Reach } from '../../model/reach.ts'

const port = 9093

/** An alert as Alertmanager knows it. */
export interface KnownAlert {
  labels: Record<string, string>
  annotations: Record<string, string>
  startsAt: string
  status: { state: string; silencedBy: string[] }
}

export interface KnownSilence {
  id: string
  status: { state: 'active' | 'pending' | 'expired' }
  matchers: { name: string; value: string }[]
  startsAt: string
  endsAt: string
  createdBy: string
  comment: string
}

/** Asks a machine's own Alertmanager (API v2). Throws `not-found` for what it does not know, `service-failed` when it does not answer. */
export async function askAlertmanager<T>(
  reach: Reach,
  node: MachineAccess,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: Json,
  signal?: AbortSignal,
): Promise<T> {
  const answer = await httpOverReach(reach, node, {
    host: '127.0.0.1',
    port,
    path: `/api/v2${path}`,
    method,
    timeout: 5000,
    ...(signal && { signal }),
    ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  if (answer.status === 404) throw new KitbagError('not-found', `Alertmanager on ${node.name} does not know it`)
  if (answer.status !== 200)
    throw new KitbagError(
      'service-failed',
      `Alertmanager on ${node.name} answered ${answer.status}: ${answer.body.slice(0, 500)}`,
      {
        machine: node.name,
        retryable: answer.status >= 500,
      },
    )
  try {
    return (answer.body === '' ? {} : JSON.parse(answer.body)) as T
  } catch {
    throw new KitbagError(
      'service-failed',
      `Alertmanager on ${node.name}: its answer is no JSON, or longer than 1 MiB`,
      { machine: node.name },
    )
  }
}
