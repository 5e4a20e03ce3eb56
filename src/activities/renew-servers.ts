import type { Store } from '../db/store.ts'
import { sleep } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'

export interface RenewServersOptions {
  store: Pick<Store, 'serverCertificates' | 'deployments' | 'operations'>
  log: Log
  /** Ends it. */
  signal: AbortSignal
  /** Milliseconds between two looks. */
  interval?: number
}

/**
 * Has the release in force brought about once more wherever a server's certificate is due: the plan of that finds nothing else to do. In any
 * number of worker processes at once. Returns when the signal is aborted.
 */
export async function renewServers({ store, log, signal, interval = 600_000 }: RenewServersOptions): Promise<void> {
  while (!signal.aborted) {
    try {
      for (const id of await store.serverCertificates.due(new Date())) await renew(store, id)
    } catch (error) {
      log.warn('certificates of servers could not be renewed, trying again', { error })
    }
    await sleep(interval, signal).catch(() => undefined)
  }
}

/** At most once an hour, so that one that fails is tried again; not while an operation is under way that may be doing it. */
async function renew({ deployments, operations }: RenewServersOptions['store'], deploymentId: string): Promise<void> {
  const deployment = await deployments.get(deploymentId)
  if (!deployment || deployment.currentRelease === null) return
  const { tenantId, name } = deployment
  const open = { deployment: name, status: ['queued' as const, 'running' as const, 'cancelling' as const] }
  if ((await operations.list(tenantId, open, { limit: 1 })).length > 0) return
  const hour = new Date().toISOString().slice(0, 13)
  const idempotencyKey = ['certificates of servers', deploymentId, hour].join('\n')
  const request = { scale: {} }
  await operations.submit({ tenantId, deploymentId, deployment: name, kind: 'scale', request, idempotencyKey })
}
