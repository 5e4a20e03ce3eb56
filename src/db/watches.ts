import { and, desc, eq, isNotNull, lt, sql } from 'drizzle-orm'
import type { JsonObject } from '../model/json.ts'
import type { OperationKind, OperationStatus } from '../model/operation.ts'
import type { WatchDecision } from '../model/watch.ts'
import type { Database } from './database.ts'
import { storable } from './failures.ts'
import { submitIn } from './operations.ts'
import { deployments, watchDecisions, watches } from './schema.ts'
import type { WatchGlance, WatchStore } from './store.ts'

/** Decisions kept of each service. */
const kept = 500

export function createWatchStore(db: Database): WatchStore {
  return {
    async candidates() {
      const rows = await db
        .select({ deploymentId: deployments.id, release: deployments.currentRelease })
        .from(deployments)
        .where(isNotNull(deployments.currentRelease))
      return rows.map(({ deploymentId, release }) => ({ deploymentId, release: release ?? 0 }))
    },

    async begin(deploymentId) {
      const source = db
        .select({
          deploymentId: deployments.id,
          tenantId: deployments.tenantId,
          epoch: sql<number>`1`.as('epoch'),
          states: sql<Record<string, JsonObject>>`'{}'::jsonb`.as('states'),
        })
        .from(deployments)
        .where(eq(deployments.id, deploymentId))
      const [row] = await db
        .insert(watches)
        .select(source)
        .onConflictDoUpdate({ target: watches.deploymentId, set: { epoch: sql`${watches.epoch} + 1` } })
        .returning({ epoch: watches.epoch, states: watches.states })
      return row
    },

    async glance(deploymentId, scopes) {
      const { rows } = await db.execute<{
        id: string
        tenant_id: string
        name: string
        current_release: number | null
        operation: { id: string; kind: OperationKind; status: OperationStatus } | null
        overrides: { scope: string; key: string; value: JsonObject }[]
      }>(sql`
        select d.id, d.tenant_id, d.name, d.current_release, (
          select json_build_object('id', o.id, 'kind', o.kind, 'status', o.status) from operations o
          where o.deployment_id = d.id and o.status in ('queued', 'running', 'cancelling') and o.kind <> 'push'
          order by o.created_at limit 1
        ) as operation, (
          select coalesce(json_agg(json_build_object('scope', v.scope, 'key', v.key, 'value', v.value)), '[]'::json)
          from overrides v where v.deployment_id = d.id and v.scope = any(array[${sql.join(scopes, sql`, `)}]::text[])
        ) as overrides
        from deployments d where d.id = ${deploymentId}`)
      const [row] = rows
      if (!row) return undefined
      const { id, name, operation } = row
      const overrides = byScope(row.overrides)
      return { id, tenantId: row.tenant_id, name, currentRelease: row.current_release, operation, overrides }
    },

    async record(deploymentId, epoch, { service, state, decisions = [], operation }) {
      const mine = and(eq(watches.deploymentId, deploymentId), eq(watches.epoch, epoch))
      const changes = state ? { [service]: storable(state) } : {}
      const states = sql`${watches.states} || ${JSON.stringify(changes)}::jsonb`
      /** Holds the row until the end of the transaction, so that no other watcher begins in between. */
      const write = (on: Database) =>
        on.update(watches).set({ states }).where(mine).returning({ tenantId: watches.tenantId })
      // Most looks find nothing to do: one statement is its own transaction.
      if (decisions.length === 0 && !operation) return (await write(db)).length > 0
      return db.transaction(async (tx) => {
        const [row] = await write(tx)
        if (!row) return false
        if (operation) await submitIn(tx, operation)
        await addDecisions(tx, { deploymentId, tenantId: row.tenantId, service }, decisions)
        return true
      })
    },

    async decisions(deploymentId, service, { after, limit }) {
      return db
        .select({
          seq: watchDecisions.seq,
          at: watchDecisions.at,
          level: watchDecisions.level,
          message: watchDecisions.message,
          data: watchDecisions.data,
        })
        .from(watchDecisions)
        .where(
          and(
            eq(watchDecisions.deploymentId, deploymentId),
            eq(watchDecisions.service, service),
            after === undefined ? undefined : lt(watchDecisions.seq, Number(after)),
          ),
        )
        .orderBy(desc(watchDecisions.seq))
        .limit(limit)
    },

    async state(deploymentId, service) {
      const [row] = await db
        .select({ states: watches.states })
        .from(watches)
        .where(eq(watches.deploymentId, deploymentId))
      return row?.states[service] ?? {}
    },
  }
}

function byScope(rows: { scope: string; key: string; value: JsonObject }[]): WatchGlance['overrides'] {
  const scopes = new Map<string, [string, JsonObject][]>()
  for (const { scope, key, value } of rows) {
    const entries = scopes.get(scope)
    if (entries) entries.push([key, value])
    else scopes.set(scope, [[key, value]])
  }
  return Object.fromEntries([...scopes].map(([scope, entries]) => [scope, Object.fromEntries(entries)]))
}

async function addDecisions(
  tx: Database,
  of: { deploymentId: string; tenantId: string; service: string },
  decisions: WatchDecision[],
): Promise<void> {
  if (decisions.length === 0) return
  await tx.insert(watchDecisions).values(decisions.map((decision) => ({ ...of, ...storable(decision) })))
  await tx.execute(sql`
    delete from watch_decisions where deployment_id = ${of.deploymentId} and service = ${of.service} and seq <= (
      select seq from watch_decisions where deployment_id = ${of.deploymentId} and service = ${of.service}
      order by seq desc offset ${kept} limit 1
    )`)
}
