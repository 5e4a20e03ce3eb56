import type { DeploymentRecord } from '../db/store.ts'
import { KitbagError } from '../model/errors.ts'
import { isFinal, type OperationRecord } from '../model/operation.ts'
import type { ActivityDeps } from './deps.ts'

/** Queues a push of a service. The same key gives the same operation. */
export async function submitPush(
  { store }: ActivityDeps,
  { id: deploymentId, tenantId, name: deployment }: DeploymentRecord,
  service: string,
  idempotencyKey?: string,
): Promise<OperationRecord> {
  const { operation } = await store.operations.submit({
    tenantId,
    deploymentId,
    deployment,
    kind: 'push',
    request: { service },
    ...(idempotencyKey !== undefined && { idempotencyKey }),
  })
  return operation
}

/** The operation as it ended; undefined: it has not after `timeout` ms. Throws the signal's reason. */
export async function untilEnded(
  { store }: ActivityDeps,
  { id }: OperationRecord,
  { timeout, signal }: { timeout: number; signal: AbortSignal },
): Promise<OperationRecord | undefined> {
  const end = Date.now() + timeout
  for (;;) {
    signal.throwIfAborted()
    const operation = await store.operations.get(id)
    if (!operation) throw new KitbagError('internal', `the operation ${id} is gone`)
    if (isFinal(operation.status)) return operation
    const left = end - Date.now()
    if (left <= 0) return undefined
    await store.changed(`operation:${id}`, { timeout: Math.min(left, 1_000), signal })
  }
}
