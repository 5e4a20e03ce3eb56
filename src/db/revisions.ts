import { eq, sql } from 'drizzle-orm'
import { KitbagError } from '../model/errors.ts'
import type { Database } from './database.ts'
import { deployments, revisions } from './schema.ts'
import type { RevisionStore } from './store.ts'

export function createRevisionStore(db: Database): RevisionStore {
  return {
    async next(deploymentId, key, { digest, least }) {
      const source = db
        .select({
          tenantId: deployments.tenantId,
          deploymentId: deployments.id,
          key: sql<string>`${key}`.as('key'),
          digest: sql<string>`${digest}`.as('digest'),
          number: sql<number>`${least}::bigint`.as('number'),
        })
        .from(deployments)
        .where(eq(deployments.id, deploymentId))
      // One statement: nodes ask side by side, and each content has one number.
      const [row] = await db
        .insert(revisions)
        .select(source)
        .onConflictDoUpdate({
          target: [revisions.deploymentId, revisions.key],
          set: {
            digest: sql`excluded.digest`,
            number: sql`case when ${revisions.digest} = excluded.digest then ${revisions.number} else greatest(${revisions.number} + 1, excluded.number) end`,
          },
        })
        .returning({ number: revisions.number })
      if (row) return row.number
      throw new KitbagError('not-found', `no deployment ${deploymentId}`)
    },
  }
}
