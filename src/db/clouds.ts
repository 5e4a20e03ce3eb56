import { and, asc, eq, inArray, or } from 'drizzle-orm'
import { KitbagError } from '../model/errors.ts'
import { newId } from '../model/ids.ts'
import type { Database } from './database.ts'
import type { Keys } from './keys.ts'
import { clouds, deployments, machines } from './schema.ts'
import type { CloudRecord, CloudStore } from './store.ts'

type Row = typeof clouds.$inferSelect

function toRecord({ credentials: _, ...record }: Row): CloudRecord {
  return record
}

export function createCloudStore(db: Database, keys: Keys): CloudStore {
  return {
    async create(tenantId, { name, provider, settings, credentials }) {
      const sealed = await keys.encrypt(tenantId, JSON.stringify(credentials))
      const [row] = await db
        .insert(clouds)
        .values({ id: newId('cld'), tenantId, name, provider, settings, credentials: sealed })
        .onConflictDoNothing()
        .returning()
      if (row) return toRecord(row)
      throw new KitbagError('conflict', `there is already a cloud named ${name}`, {
        fix: `Take another name, or remove that one first: kitbag cloud remove ${name}`,
      })
    },

    async list(tenantId) {
      const rows = await db.select().from(clouds).where(eq(clouds.tenantId, tenantId)).orderBy(asc(clouds.name))
      return rows.map(toRecord)
    },

    async getByName(tenantId, name) {
      const [row] = await db
        .select()
        .from(clouds)
        .where(and(eq(clouds.tenantId, tenantId), eq(clouds.name, name)))
      return row && toRecord(row)
    },

    async get(id) {
      const [row] = await db.select().from(clouds).where(eq(clouds.id, id))
      if (!row) return undefined
      return { ...toRecord(row), credentials: JSON.parse(await keys.decrypt(row.tenantId, row.credentials)) }
    },

    async update(tenantId, name, { settings, credentials }) {
      const sealed = credentials && (await keys.encrypt(tenantId, JSON.stringify(credentials)))
      const [row] = await db
        .update(clouds)
        .set({ settings, ...(sealed !== undefined && { credentials: sealed }) })
        .where(and(eq(clouds.tenantId, tenantId), eq(clouds.name, name)))
        .returning()
      return row && toRecord(row)
    },

    async remove(tenantId, name) {
      return db.transaction(async (tx) => {
        const [cloud] = await tx
          .select({ id: clouds.id })
          .from(clouds)
          .where(and(eq(clouds.tenantId, tenantId), eq(clouds.name, name)))
          .for('update')
        if (!cloud) return false
        const withMachines = tx
          .select({ id: machines.deploymentId })
          .from(machines)
          .where(eq(machines.cloudId, cloud.id))
        const users = await tx
          .select({ name: deployments.name })
          .from(deployments)
          .where(or(eq(deployments.cloudId, cloud.id), inArray(deployments.id, withMachines)))
          .orderBy(asc(deployments.name))
        if (users.length > 0)
          throw stillUsed(
            name,
            users.map((user) => user.name),
          )
        await tx.delete(clouds).where(eq(clouds.id, cloud.id))
        return true
      })
    },
  }
}

function stillUsed(name: string, users: string[]): KitbagError {
  const shown = users.length > 5 ? `${users.slice(0, 5).join(', ')} and ${users.length - 5} more` : users.join(', ')
  return new KitbagError('conflict', `cloud ${name} is still used by ${shown}`, {
    fix: `Destroy ${users.length === 1 ? 'that deployment' : 'those deployments'} first: kitbag destroy ${users[0]}`,
  })
}
