import { and, asc, eq, gt, sql } from 'drizzle-orm'
import type { OperationEvent } from '../model/operation.ts'
import type { Database } from './database.ts'
import { storable } from './failures.ts'
import { channel } from './listener.ts'
import { operationEvents } from './schema.ts'
import type { OperationStore } from './store.ts'

export interface NewEvent {
  type: OperationEvent['type']
  data: Record<string, unknown>
}

/**
 * Appends and announces in one statement. Appends to one operation go one after the other (the lock is held until commit, and the
 * numbers are drawn under it): so a reader that has seen number 7 never finds a 6 that came later.
 */
export async function appendEventsIn(db: Database, operationId: string, events: NewEvent[]): Promise<void> {
  if (events.length === 0) return
  await db.execute(sql`
    with held as materialized (select pg_advisory_xact_lock(hashtextextended(${operationId}, 0))),
    added as (
      insert into operation_events (operation_id, type, data)
      select ${operationId}, event.value->>'type', event.value->'data'
      from held, jsonb_array_elements(${JSON.stringify(storable(events))}::jsonb) with ordinality as event(value, place)
      order by event.place
      returning seq
    )
    select pg_notify(${channel}, ${`operation:${operationId}`}) from (select count(*) from added) as counted`)
}

/** Wakes whoever waits for any operation: dispatchers and lists. */
export async function announceOperations(db: Database): Promise<void> {
  await db.execute(sql`select pg_notify(${channel}, 'operations')`)
}

export function createEventStore(db: Database): Pick<OperationStore, 'appendEvents' | 'events'> {
  return {
    async appendEvents(id, events) {
      await appendEventsIn(db, id, events)
    },

    async events(id, afterSeq, limit) {
      const rows = await db
        .select()
        .from(operationEvents)
        .where(and(eq(operationEvents.operationId, id), gt(operationEvents.seq, afterSeq)))
        .orderBy(asc(operationEvents.seq))
        .limit(limit)
      return rows.map(({ seq, at, type, data }) => ({ seq, at, type: type as OperationEvent['type'], data }))
    },
  }
}
