import { asc, eq, lte, sql } from 'drizzle-orm'
import type { ServerCertificateStore } from '../model/certificate.ts'
import { KitbagError } from '../model/errors.ts'
import type { Database } from './database.ts'
import type { Keys } from './keys.ts'
import { machines, serverCertificates } from './schema.ts'

export function createServerCertificateStore(db: Database, keys: Keys): ServerCertificateStore {
  return {
    async list(deploymentId) {
      const { machineId, version, certificate, hosts, renewAt } = serverCertificates
      return db
        .select({ machineId, version, certificate, hosts, renewAt })
        .from(serverCertificates)
        .innerJoin(machines, eq(machines.id, machineId))
        .where(eq(machines.deploymentId, deploymentId))
        .orderBy(asc(machineId))
    },

    async keyOf(machineId) {
      const [row] = await db.select().from(serverCertificates).where(eq(serverCertificates.machineId, machineId))
      if (row) return keys.decrypt(row.tenantId, row.key)
      throw new KitbagError('not-found', `the machine ${machineId} has no certificate`)
    },

    async put(machineId, { key, ...certificate }) {
      const [machine] = await db
        .select({ tenantId: machines.tenantId })
        .from(machines)
        .where(eq(machines.id, machineId))
      if (!machine) throw new KitbagError('not-found', `no machine ${machineId}`)
      const { tenantId } = machine
      const values = { ...certificate, key: await keys.encrypt(tenantId, key) }
      await db
        .insert(serverCertificates)
        .values({ machineId, tenantId, ...values })
        .onConflictDoUpdate({
          target: serverCertificates.machineId,
          set: { ...values, version: sql`${serverCertificates.version} + 1` },
        })
    },

    async setRenewal(machineId, renewAt) {
      await db.update(serverCertificates).set({ renewAt }).where(eq(serverCertificates.machineId, machineId))
    },

    async due(now) {
      const rows = await db
        .select({ id: machines.deploymentId })
        .from(serverCertificates)
        .innerJoin(machines, eq(machines.id, serverCertificates.machineId))
        .where(lte(serverCertificates.renewAt, now))
        .groupBy(machines.deploymentId)
        .orderBy(asc(machines.deploymentId))
      return rows.map(({ id }) => id)
    },
  }
}
