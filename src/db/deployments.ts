import { and, asc, desc, eq, getTableColumns, lt } from 'drizzle-orm'
import { KitbagError } from '../model/errors.ts'
import { newId } from '../model/ids.ts'
import type { Database } from './database.ts'
import { clouds, deployments, machines } from './schema.ts'
import type { DeploymentRecord, DeploymentStore } from './store.ts'

export function createDeploymentStore(db: Database): DeploymentStore {
  const select = (from: Database = db) =>
    from
      .select({ ...getTableColumns(deployments), cloud: clouds.name })
      .from(deployments)
      .leftJoin(clouds, eq(clouds.id, deployments.cloudId))

  async function byName(from: Database, tenantId: string, name: string): Promise<DeploymentRecord | undefined> {
    const [row] = await select(from).where(and(eq(deployments.tenantId, tenantId), eq(deployments.name, name)))
    return row
  }

  return {
    async ensure(tenantId, name, cloudId) {
      return db.transaction(async (tx) => {
        await tx
          .insert(deployments)
          .values({ id: newId('dep'), tenantId, name, cloudId: cloudId ?? null })
          .onConflictDoNothing()
        const found = await byName(tx, tenantId, name)
        if (!found) throw new KitbagError('conflict', `deployment ${name} was removed meanwhile`, { retryable: true })
        if (!cloudId || found.cloudId === cloudId) return found
        if (found.cloudId) {
          throw new KitbagError('conflict', `deployment ${name} is on cloud ${found.cloud} and stays there`, {
            fix: `Leave the cloud out, or take another name: kitbag deploy --name`,
          })
        }
        await tx.update(deployments).set({ cloudId }).where(eq(deployments.id, found.id))
        return (await byName(tx, tenantId, name)) ?? found
      })
    },

    async getByName(tenantId, name) {
      return byName(db, tenantId, name)
    },

    async get(id) {
      const [row] = await select().where(eq(deployments.id, id))
      return row
    },

    async list(tenantId, { after, limit }) {
      return select()
        .where(and(eq(deployments.tenantId, tenantId), after ? lt(deployments.id, after) : undefined))
        .orderBy(desc(deployments.id))
        .limit(limit)
    },

    async setCurrentRelease(id, number) {
      await db.update(deployments).set({ currentRelease: number }).where(eq(deployments.id, id))
    },

    async remove(id) {
      await db.transaction(async (tx) => {
        const left = await tx
          .select({ name: machines.name })
          .from(machines)
          .where(eq(machines.deploymentId, id))
          .orderBy(asc(machines.name))
        if (left.length > 0) {
          throw new KitbagError(
            'conflict',
            `the deployment still has machines: ${left.map((m) => m.name).join(', ')}`,
            {
              fix: 'Destroy it: that removes the machines first.',
            },
          )
        }
        await tx.delete(deployments).where(eq(deployments.id, id))
      })
    },
  }
}
