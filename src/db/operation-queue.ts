import { and, asc, eq, inArray, isNull, lt, sql } from 'drizzle-orm'
import type { Database } from './database.ts'
import { codeOf } from './failures.ts'
import { announceOperations, appendEventsIn } from './operation-events.ts'
import { toOperation } from './operation-record.ts'
import { operations } from './schema.ts'
import type { OperationStore } from './store.ts'

const uniqueViolation = '23505'

/** What dispatchers call. */
export function createOperationQueue(
  db: Database,
): Pick<OperationStore, 'claim' | 'undispatched' | 'running' | 'dispatched'> {
  return {
    async claim(limit) {
      try {
        return await db.transaction((tx) => claimIn(tx, limit))
      } catch (error) {
        // The index that allows one running operation per deployment had the last word: another dispatcher was faster.
        if (codeOf(error) === uniqueViolation) return []
        throw error
      }
    },

    async undispatched(age) {
      const rows = await db
        .select()
        .from(operations)
        .where(
          and(
            inArray(operations.status, ['running', 'cancelling']),
            isNull(operations.dispatchedAt),
            lt(operations.startedAt, sql`now() - ${age} * interval '1 millisecond'`),
          ),
        )
        .orderBy(asc(operations.startedAt))
      return rows.map(toOperation)
    },

    async running() {
      const rows = await db
        .select()
        .from(operations)
        .where(inArray(operations.status, ['running', 'cancelling']))
        .orderBy(asc(operations.startedAt))
      return rows.map(toOperation)
    },

    async dispatched(id) {
      await db.update(operations).set({ dispatchedAt: sql`now()` }).where(eq(operations.id, id))
    },
  }
}

async function claimIn(tx: Database, limit: number) {
  const { rows } = await tx.execute<{ id: string }>(sql`
    select id from operations o
    where status = 'queued' and (
      kind = 'push'
      or not exists (
        select from operations other
        where other.deployment_id = o.deployment_id and other.kind <> 'push' and (
          other.status in ('running', 'cancelling')
          or (other.status = 'queued' and (other.created_at, other.id) < (o.created_at, o.id))
        )
      )
    )
    order by created_at, id
    limit ${limit}
    for update of o skip locked`)
  if (rows.length === 0) return []
  const claimed = await tx
    .update(operations)
    .set({ status: 'running', startedAt: sql`now()` })
    .where(
      inArray(
        operations.id,
        rows.map((row) => row.id),
      ),
    )
    .returning()
  for (const { id } of claimed) await appendEventsIn(tx, id, [{ type: 'operation', data: { status: 'running' } }])
  await announceOperations(tx)
  return claimed.map(toOperation).sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime())
}
