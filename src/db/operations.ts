import { createHash } from 'node:crypto'
import { and, desc, eq, inArray, lt, ne, sql } from 'drizzle-orm'
import { KitbagError } from '../model/errors.ts'
import { newId } from '../model/ids.ts'
import { canonicalJson } from '../model/json.ts'
import { isFinal, type OperationStatus } from '../model/operation.ts'
import type { Database } from './database.ts'
import { storable } from './failures.ts'
import { announceOperations, appendEventsIn, createEventStore } from './operation-events.ts'
import { createOperationQueue } from './operation-queue.ts'
import { toOperation } from './operation-record.ts'
import { createUnitStore } from './operation-units.ts'
import { setOverridesIn } from './overrides.ts'
import { deployments, operations } from './schema.ts'
import type { NewOperation, OperationStore } from './store.ts'

const open: OperationStatus[] = ['queued', 'running', 'cancelling']

export function createOperationStore(db: Database): OperationStore {
  const find = async (from: Database, id: string, lock = false) => {
    const query = from.select().from(operations).where(eq(operations.id, id))
    const [row] = lock ? await query.for('update') : await query
    return row
  }

  return {
    ...createOperationQueue(db),
    ...createUnitStore(db),
    ...createEventStore(db),

    async submit(operation) {
      return db.transaction((tx) => submitIn(tx, operation))
    },

    async byIdempotencyKey(tenantId, key) {
      const row = await findByKey(db, tenantId, key)
      return row && { operation: toOperation(row), requestDigest: row.requestDigest ?? '' }
    },

    async get(id, tenantId) {
      const row = await find(db, id)
      return row && (tenantId === undefined || row.tenantId === tenantId) ? toOperation(row) : undefined
    },

    async list(tenantId, { deployment, status }, { after, limit }) {
      const rows = await db
        .select()
        .from(operations)
        .where(
          and(
            eq(operations.tenantId, tenantId),
            deployment === undefined ? undefined : eq(operations.deployment, deployment),
            status === undefined ? undefined : inArray(operations.status, status),
            after === undefined ? undefined : lt(operations.id, after),
          ),
        )
        .orderBy(desc(operations.id))
        .limit(limit)
      return rows.map(toOperation)
    },

    async cancel(id) {
      return db.transaction(async (tx) => {
        const row = await find(tx, id, true)
        if (!row) return undefined
        if (isFinal(row.status) || row.status === 'cancelling') return toOperation(row)
        const queued = row.status === 'queued'
        const [changed] = await tx
          .update(operations)
          .set(queued ? { status: 'cancelled', finishedAt: sql`now()` } : { status: 'cancelling' })
          .where(eq(operations.id, id))
          .returning()
        await appendEventsIn(tx, id, [{ type: 'operation', data: { status: queued ? 'cancelled' : 'cancelling' } }])
        await announceOperations(tx)
        return changed && toOperation(changed)
      })
    },

    async finish(id, { status, result, error }) {
      await db.transaction(async (tx) => {
        const row = await find(tx, id, true)
        if (!row || isFinal(row.status)) return
        await tx
          .update(operations)
          .set({ status, result: storable(result ?? null), error: storable(error ?? null), finishedAt: sql`now()` })
          .where(eq(operations.id, id))
        await appendEventsIn(tx, id, [{ type: 'operation', data: { status, ...(error && { error }) } }])
        await announceOperations(tx)
      })
    },
  }
}

async function findByKey(db: Database, tenantId: string, key: string) {
  const [row] = await db
    .select()
    .from(operations)
    .where(and(eq(operations.tenantId, tenantId), eq(operations.idempotencyKey, key)))
  return row
}

/** `submit` inside a transaction of the caller. */
export async function submitIn(tx: Database, operation: NewOperation) {
  const { tenantId, deploymentId, deployment, kind, request, idempotencyKey, onConflict } = operation
  const requestDigest =
    operation.requestDigest ?? createHash('sha256').update(canonicalJson({ kind, deploymentId, request })).digest('hex')
  // One submission to a deployment at a time, so that of two that refuse to wait only one gets in.
  await tx.select({ id: deployments.id }).from(deployments).where(eq(deployments.id, deploymentId)).for('update')
  const known = idempotencyKey === undefined ? undefined : await findByKey(tx, tenantId, idempotencyKey)
  if (known) return existing(known, requestDigest)
  if (onConflict === 'refuse' && kind !== 'push') await refuseWhileOpen(tx, deploymentId, deployment)

  const values = { id: newId('op'), tenantId, deploymentId, deployment, kind, request, status: 'queued' as const }
  const [row] = await tx
    .insert(operations)
    .values({ ...values, idempotencyKey, requestDigest })
    .onConflictDoNothing()
    .returning()
  if (!row) {
    // The same key came at the same time for another deployment.
    const other = idempotencyKey === undefined ? undefined : await findByKey(tx, tenantId, idempotencyKey)
    if (other) return existing(other, requestDigest)
    throw new KitbagError('internal', 'the operation was not stored', { retryable: true })
  }
  if (operation.overrides) await setOverridesIn(tx, deploymentId, operation.overrides)
  await appendEventsIn(tx, row.id, [{ type: 'operation', data: { status: 'queued' } }])
  await announceOperations(tx)
  return { operation: toOperation(row), existing: false }
}

function existing(row: typeof operations.$inferSelect, requestDigest: string) {
  if (row.requestDigest === requestDigest) return { operation: toOperation(row), existing: true }
  throw idempotencyMismatch(row.idempotencyKey ?? '', row.id)
}

/** A key that stands for another request, which made the operation. */
export function idempotencyMismatch(key: string, operationId: string): KitbagError {
  const message = `Idempotency-Key ${key} was used before, for another request (operation ${operationId})`
  return new KitbagError('idempotency-mismatch', message, { fix: 'Take a new key for a new request.' })
}

async function refuseWhileOpen(tx: Database, deploymentId: string, deployment: string): Promise<void> {
  const [busy] = await tx
    .select()
    .from(operations)
    .where(
      and(eq(operations.deploymentId, deploymentId), inArray(operations.status, open), ne(operations.kind, 'push')),
    )
    .limit(1)
  if (!busy) return
  throw new KitbagError('operation-running', `operation ${busy.id} (${busy.kind}) on ${deployment} is ${busy.status}`, {
    fix: `Wait for it, or end it first: kitbag cancel ${busy.id}`,
  })
}
