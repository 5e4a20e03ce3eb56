import { and, asc, eq, sql } from 'drizzle-orm'
import type { JsonObject } from '../model/json.ts'
import type { Database } from './database.ts'
import { overrides } from './schema.ts'
import type { OverrideStore } from './store.ts'
import { tenantOf } from './tenant-of.ts'

/** Overrides of one deployment from which on the last that were read are kept, and for how many deployments at most. */
const many = 1000
const mostKept = 4

/** Goes up with each row that is written: `xmin` is the number of the transaction that wrote it. */
const sumOfVersions = sql<string>`coalesce(sum(xmin::text::bigint), 0)`

const total = (numbers: string[]): bigint => numbers.reduce((sum, number) => sum + BigInt(number), 0n)

interface Kept {
  /** Number of rows and sum of their versions: a change makes another of it. */
  version: string
  scopes: Record<string, Record<string, JsonObject>>
}

export function createOverrideStore(db: Database): OverrideStore {
  const kept = new Map<string, Kept>()

  async function versionOf(deploymentId: string): Promise<string> {
    const [row] = await db
      .select({ count: sql<string>`count(*)`, sum: sumOfVersions })
      .from(overrides)
      .where(eq(overrides.deploymentId, deploymentId))
    return `${row?.count} ${row?.sum}`
  }

  return {
    async list(deploymentId) {
      const known = kept.get(deploymentId)
      if (known && known.version === (await versionOf(deploymentId))) return known.scopes
      // One text for each scope: 100,000 rows one by one would take longer than all that is made of them.
      const rows = await db
        .select({
          scope: overrides.scope,
          values: sql<
            Record<string, JsonObject>
          >`json_object_agg(${overrides.key}, ${overrides.value} ORDER BY ${overrides.key})`,
          count: sql<string>`count(*)`,
          sum: sumOfVersions,
        })
        .from(overrides)
        .where(eq(overrides.deploymentId, deploymentId))
        .groupBy(overrides.scope)
        .orderBy(asc(overrides.scope))
      const scopes = Object.fromEntries(rows.map(({ scope, values }) => [scope, values]))
      const [count, sum] = [rows.map((row) => row.count), rows.map((row) => row.sum)].map(total)
      kept.delete(deploymentId)
      if (Number(count) >= many) kept.set(deploymentId, { version: `${count} ${sum}`, scopes })
      for (const oldest of kept.keys()) if (kept.size > mostKept) kept.delete(oldest)
      return scopes
    },

    async set(deploymentId, scope, changes) {
      await db.transaction((tx) => setOverridesIn(tx, deploymentId, { scope, changes }))
    },
  }
}

/** `set` inside a transaction of the caller. */
export async function setOverridesIn(
  tx: Database,
  deploymentId: string,
  { scope, changes }: { scope: string; changes: Record<string, JsonObject | null> },
): Promise<void> {
  const tenantId = await tenantOf(tx, deploymentId, { lock: true })
  const entries = Object.entries(changes)
  const removed = entries.filter(([, value]) => value === null).map(([key]) => key)
  const written = entries.filter(([, value]) => value !== null)
  if (removed.length > 0)
    await tx
      .delete(overrides)
      .where(
        and(
          eq(overrides.deploymentId, deploymentId),
          eq(overrides.scope, scope),
          sql`${overrides.key} = ANY (ARRAY(SELECT jsonb_array_elements_text(${JSON.stringify(removed)}::jsonb)))`,
        ),
      )
  // One text for all of them: a statement of 100,000 rows would take longer to write than to run.
  if (written.length > 0)
    await tx.execute(sql`
      INSERT INTO ${overrides} (tenant_id, deployment_id, scope, key, value)
      SELECT ${tenantId}, ${deploymentId}, ${scope}, key, value
      FROM jsonb_each(${JSON.stringify(Object.fromEntries(written))}::jsonb)
      ON CONFLICT (deployment_id, scope, key) DO UPDATE SET value = excluded.value, updated_at = now()`)
}
