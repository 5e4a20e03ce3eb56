import { createHash } from 'node:crypto'
import { and, desc, eq, lt } from 'drizzle-orm'
import { KitbagError } from '../model/errors.ts'
import { newId } from '../model/ids.ts'
import { canonicalJson } from '../model/json.ts'
import type { ReleaseRecord, ReleaseSpec } from '../model/release.ts'
import type { Database } from './database.ts'
import { releases } from './schema.ts'
import type { ReleaseStore } from './store.ts'
import { tenantOf } from './tenant-of.ts'

/** @param complete makes of a spec that an older Kitbag stored one that this one can read. */
export function createReleaseStore(db: Database, complete: (spec: ReleaseSpec) => ReleaseSpec): ReleaseStore {
  const toRecord = ({ tenantId: _, spec, ...record }: typeof releases.$inferSelect): ReleaseRecord => ({
    ...record,
    spec: complete(spec),
  })
  const newest = async (from: Database, deploymentId: string) => {
    const [row] = await from
      .select()
      .from(releases)
      .where(eq(releases.deploymentId, deploymentId))
      .orderBy(desc(releases.number))
      .limit(1)
    return row
  }

  return {
    async ensure(deploymentId, spec) {
      const digest = createHash('sha256').update(canonicalJson(spec)).digest('hex')
      return db.transaction(async (tx) => {
        const tenantId = await tenantOf(tx, deploymentId, { lock: true })
        const last = await newest(tx, deploymentId)
        if (last?.digest === digest) return toRecord(last)
        const number = (last?.number ?? 0) + 1
        const values = { id: newId('rel'), tenantId, deploymentId, number, spec, digest }
        const [row] = await tx.insert(releases).values(values).returning()
        if (!row) throw new KitbagError('internal', 'the release was not stored')
        return toRecord(row)
      })
    },

    async get(deploymentId, number) {
      const [row] = await db
        .select()
        .from(releases)
        .where(and(eq(releases.deploymentId, deploymentId), eq(releases.number, number)))
      return row && toRecord(row)
    },

    async latest(deploymentId) {
      const row = await newest(db, deploymentId)
      return row && toRecord(row)
    },

    async list(deploymentId, { after, limit }) {
      const rows = await db
        .select()
        .from(releases)
        .where(and(eq(releases.deploymentId, deploymentId), after ? lt(releases.number, Number(after)) : undefined))
        .orderBy(desc(releases.number))
        .limit(limit)
      return rows.map(toRecord)
    },
  }
}
