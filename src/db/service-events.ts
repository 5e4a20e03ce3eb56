import { sql } from 'drizzle-orm'
import type { OperationKind, OperationStatus } from '../model/operation.ts'
import type { WatchLevel } from '../model/watch.ts'
import type { Database } from './database.ts'
import type { ServiceEventStore } from './store.ts'

interface Row extends Record<string, unknown> {
  key: string
  at: Date
  operation: string | null
  kind: OperationKind | null
  status: OperationStatus | null
  level: WatchLevel | null
  message: string | null
  data: Record<string, unknown> | null
}

/** Two tables as one story. A key is the microsecond, then what tells two of the same one apart. */
export function createServiceEventStore(db: Database): ServiceEventStore {
  return {
    async list(deploymentId, service, { after, limit }) {
      const key = (at: string, id: string) =>
        sql.raw(`lpad((extract(epoch from ${at}) * 1000000)::bigint::text, 17, '0') || '.' || ${id}`)
      const { rows } = await db.execute<Row>(sql`
        select * from (
          select ${key('o.created_at', 'o.id')} as key, o.created_at as at, o.id as operation, o.kind, o.status,
            null::text as level, o.error->>'message' as message, null::jsonb as data
          from operations o
          where o.deployment_id = ${deploymentId} and (
            o.request->>'service' = ${service}
            or exists (select 1 from operation_units u where u.operation_id = o.id and u.component = ${service})
          )
          union all
          select ${key('d.at', "lpad(d.seq::text, 12, '0')")}, d.at, null, null, null, d.level, d.message, d.data
          from watch_decisions d
          where d.deployment_id = ${deploymentId} and d.service = ${service}
        ) events
        where ${after === undefined ? sql`true` : sql`key collate "C" < ${after}`}
        order by key collate "C" desc limit ${limit}`)
      return rows.map(({ key: id, at, operation, kind, status, level, message, data }) => ({
        key: id,
        at: new Date(at),
        ...(operation !== null && kind !== null && status !== null && { operation: { id: operation, kind, status } }),
        level: level ?? (status === 'failed' ? 'warn' : 'info'),
        message: message ?? '',
        data: data ?? {},
      }))
    },
  }
}
