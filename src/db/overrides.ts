import { and, asc, eq, inArray, sql } from 'drizzle-orm'
import { KitbagError } from '../model/errors.ts'
import type { JsonObject } from '../model/json.ts'
import type { Database } from './database.ts'
import { deployments, overrides } from './schema.ts'
import type { OverrideStore } from './store.ts'

/** Rows of one statement: PostgreSQL takes 65,535 parameters. */
const atOnce = 5000

function* batches<T>(rows: T[]): Generator<T[]> {
  for (let at = 0; at < rows.length; at += atOnce) yield rows.slice(at, at + atOnce)
}

export function createOverrideStore(db: Database): OverrideStore {
  return {
    async list(deploymentId) {
      const rows = await db
        .select({ scope: overrides.scope, key: overrides.key, value: overrides.value })
        .from(overrides)
        .where(eq(overrides.deploymentId, deploymentId))
        .orderBy(asc(overrides.scope), asc(overrides.key))
      const scopes = new Map<string, Map<string, JsonObject>>()
      for (const { scope, key, value } of rows) scopes.set(scope, (scopes.get(scope) ?? new Map()).set(key, value))
      return Object.fromEntries([...scopes].map(([scope, values]) => [scope, Object.fromEntries(values)]))
    },

    async set(deploymentId, scope, changes) {
      const entries = Object.entries(changes)
      const removed = entries.filter(([, value]) => value === null).map(([key]) => key)
      await db.transaction(async (tx) => {
        const [deployment] = await tx
          .select({ tenantId: deployments.tenantId })
          .from(deployments)
          .where(eq(deployments.id, deploymentId))
          .for('update')
        if (!deployment) throw new KitbagError('not-found', `no deployment ${deploymentId}`)
        const kept = entries.flatMap(([key, value]) =>
          value === null ? [] : [{ tenantId: deployment.tenantId, deploymentId, scope, key, value }],
        )
        for (const keys of batches(removed)) {
          await tx
            .delete(overrides)
            .where(
              and(eq(overrides.deploymentId, deploymentId), eq(overrides.scope, scope), inArray(overrides.key, keys)),
            )
        }
        for (const rows of batches(kept)) {
          await tx
            .insert(overrides)
            .values(rows)
            .onConflictDoUpdate({
              target: [overrides.deploymentId, overrides.scope, overrides.key],
              set: { value: sql`excluded.value`, updatedAt: sql`now()` },
            })
        }
      })
    },
  }
}
