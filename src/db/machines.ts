import { randomUUID } from 'node:crypto'
import { and, asc, eq, exists, inArray, isNotNull, isNull, notExists } from 'drizzle-orm'
import { KitbagError } from '../model/errors.ts'
import { newId } from '../model/ids.ts'
import type { MachineRecord } from '../model/machine.ts'
import type { Database } from './database.ts'
import type { Keys } from './keys.ts'
import { deployments, machines, migrations, operations } from './schema.ts'
import type { MachineStore } from './store.ts'
import { tenantOf } from './tenant-of.ts'

type Row = typeof machines.$inferSelect

function toRecord(row: Row): MachineRecord {
  const { tenantId: _t, createToken: _c, hostKeyPrivate: _h, createdAt: _a, providerId, hostId, ...record } = row
  return { ...record, ...(providerId !== null && { providerId }), ...(hostId !== null && { hostId }) }
}

function newRow(tenantId: string, deploymentId: string) {
  return { id: newId('mac'), tenantId, deploymentId, createToken: randomUUID() }
}

export function createMachineStore(db: Database, keys: Keys): MachineStore {
  return {
    async list(deploymentId) {
      const rows = await db
        .select()
        .from(machines)
        .where(eq(machines.deploymentId, deploymentId))
        .orderBy(asc(machines.component), asc(machines.ordinal))
      return rows.map(toRecord)
    },

    async get(id) {
      const [row] = await db.select().from(machines).where(eq(machines.id, id))
      return row && toRecord(row)
    },

    async listAll() {
      const rows = await db.select().from(machines).orderBy(asc(machines.id))
      return rows.map(toRecord)
    },

    async behind() {
      const open = inArray(operations.status, ['queued', 'running', 'cancelling'])
      const underWay = db
        .select({ id: operations.id })
        .from(operations)
        .where(and(eq(operations.deploymentId, machines.deploymentId), open))
      const inForce = db
        .select({ id: deployments.id })
        .from(deployments)
        .where(and(eq(deployments.id, machines.deploymentId), isNotNull(deployments.currentRelease)))
      const alive = inArray(machines.status, ['installed', 'ready'])
      const rows = await db
        .select()
        .from(machines)
        .where(and(eq(machines.firewallDigest, ''), alive, exists(inForce), notExists(underWay)))
        .orderBy(asc(machines.id))
      return rows.map(toRecord)
    },

    async ensureCreating(deploymentId, machine, hostKey) {
      const tenantId = await tenantOf(db, deploymentId)
      await db
        .insert(machines)
        .values({
          ...machine,
          ...newRow(tenantId, deploymentId),
          status: 'creating',
          hostKey: hostKey.publicKey,
          hostKeyPrivate: await keys.encrypt(tenantId, hostKey.privateKey),
        })
        .onConflictDoNothing({ target: [machines.deploymentId, machines.name] })
      const [row] = await db
        .select()
        .from(machines)
        .where(and(eq(machines.deploymentId, deploymentId), eq(machines.name, machine.name)))
      if (!row) throw new KitbagError('internal', `machine ${machine.name} was removed while it was made`)
      const hostKeyPrivate = row.hostKeyPrivate ? await keys.decrypt(tenantId, row.hostKeyPrivate) : ''
      return { ...toRecord(row), createToken: row.createToken, hostKeyPrivate }
    },

    async ensureImported(deploymentId, { providerId, cloud: cloudId, port: sshPort, ...machine }) {
      const tenantId = await tenantOf(db, deploymentId)
      await db
        .insert(machines)
        .values({
          ...machine,
          ...newRow(tenantId, deploymentId),
          cloudId,
          providerId,
          sshPort,
          status: 'imported',
          stateful: false,
          imported: true,
        })
        .onConflictDoNothing()
      const [row] = await db
        .select({ machine: machines, deployment: deployments.name })
        .from(machines)
        .innerJoin(deployments, eq(deployments.id, machines.deploymentId))
        .where(and(eq(machines.cloudId, cloudId), eq(machines.providerId, providerId), isNull(machines.hostId)))
      if (!row) throw new KitbagError('conflict', `${machine.name} is another machine since`, { retryable: false })
      if (row.machine.deploymentId === deploymentId && row.machine.name === machine.name) return toRecord(row.machine)
      throw new KitbagError('conflict', `${providerId} is ${row.machine.name} of ${row.deployment} already`)
    },

    async update(id, change) {
      if (Object.keys(change).length === 0) return
      // Once the machine stands, nobody needs its private key again.
      const forget = change.status !== undefined && change.status !== 'creating' ? { hostKeyPrivate: null } : {}
      await db
        .update(machines)
        .set({ ...change, ...forget })
        .where(eq(machines.id, id))
    },

    async remove(id) {
      await db.delete(machines).where(eq(machines.id, id))
    },

    async migrated(deploymentId, component) {
      const rows = await db
        .select({ digest: migrations.digest })
        .from(migrations)
        .where(and(eq(migrations.deploymentId, deploymentId), eq(migrations.component, component)))
        .orderBy(asc(migrations.at))
      return rows.map((row) => row.digest)
    },

    async recordMigration(deploymentId, component, digest) {
      const tenantId = await tenantOf(db, deploymentId)
      await db.insert(migrations).values({ tenantId, deploymentId, component, digest }).onConflictDoNothing()
    },
  }
}
