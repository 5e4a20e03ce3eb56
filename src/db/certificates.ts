import { and, asc, eq, isNull, lt, or, sql } from 'drizzle-orm'
import type { CertificateRecord, CertificateStore } from '../model/certificate.ts'
import { KitbagError } from '../model/errors.ts'
import { newId } from '../model/ids.ts'
import type { Database } from './database.ts'
import type { Keys } from './keys.ts'
import { acmeAccounts, certificateAuthorities, certificates, deployments } from './schema.ts'

type Row = typeof certificates.$inferSelect

function toRecord(row: Row): CertificateRecord {
  const { id, deploymentId, service, name, purpose, version, chain, standIn, notBefore, notAfter } = row
  const { nextTry, failures, error, order, challenges } = row
  const issued = { version, chain, standIn, notBefore, notAfter }
  return { id, deploymentId, service, name, purpose, ...issued, nextTry, failures, error, order, challenges }
}

export function createCertificateStore(db: Database, keys: Keys): CertificateStore {
  const find = async (id: string): Promise<Row> => {
    const [row] = await db.select().from(certificates).where(eq(certificates.id, id))
    if (row) return row
    throw new KitbagError('not-found', `no certificate ${id}`)
  }
  const tenantOf = async (deploymentId: string): Promise<string> => {
    const [row] = await db
      .select({ tenantId: deployments.tenantId })
      .from(deployments)
      .where(eq(deployments.id, deploymentId))
    if (row) return row.tenantId
    throw new KitbagError('not-found', `no deployment ${deploymentId}`)
  }
  const authorityOf = async (deploymentId: string) => {
    const [row] = await db
      .select()
      .from(certificateAuthorities)
      .where(eq(certificateAuthorities.deploymentId, deploymentId))
    return row
  }
  const accountOf = async (tenantId: string, name: string) => {
    const [row] = await db
      .select()
      .from(acmeAccounts)
      .where(and(eq(acmeAccounts.tenantId, tenantId), eq(acmeAccounts.name, name)))
    return row
  }

  return {
    async authority(deploymentId, make) {
      const known = await authorityOf(deploymentId)
      if (!known) {
        const tenantId = await tenantOf(deploymentId)
        const { certificate, key } = make()
        await db
          .insert(certificateAuthorities)
          .values({ id: newId('ca'), tenantId, deploymentId, certificate, key: await keys.encrypt(tenantId, key) })
          .onConflictDoNothing()
      }
      const row = known ?? (await authorityOf(deploymentId))
      if (!row) throw new KitbagError('internal', `the authority of ${deploymentId} was not stored`)
      return { id: row.id, certificate: row.certificate, key: await keys.decrypt(row.tenantId, row.key) }
    },

    async authorityCertificate(deploymentId) {
      const row = await authorityOf(deploymentId)
      return row && { id: row.id, certificate: row.certificate }
    },

    async list(deploymentId) {
      const rows = await db
        .select()
        .from(certificates)
        .where(eq(certificates.deploymentId, deploymentId))
        .orderBy(asc(certificates.service), asc(certificates.name), asc(certificates.id))
      return rows.map(toRecord)
    },

    async get(id) {
      const [row] = await db.select().from(certificates).where(eq(certificates.id, id))
      return row && toRecord(row)
    },

    async keyOf(id) {
      const { tenantId, key } = await find(id)
      return keys.decrypt(tenantId, key)
    },

    async add(deploymentId, { key, ...certificate }) {
      const tenantId = await tenantOf(deploymentId)
      const sealed = await keys.encrypt(tenantId, key)
      await db
        .insert(certificates)
        .values({ id: newId('crt'), tenantId, deploymentId, ...certificate, key: sealed })
        .onConflictDoNothing()
    },

    async replace(id, { key, ...material }) {
      const { tenantId } = await find(id)
      const none = { failures: 0, error: null, order: null, orderKey: null }
      await db
        .update(certificates)
        .set({
          ...material,
          ...none,
          key: await keys.encrypt(tenantId, key),
          version: sql`${certificates.version} + 1`,
        })
        .where(eq(certificates.id, id))
    },

    async update(id, change) {
      await db.update(certificates).set(change).where(eq(certificates.id, id))
    },

    async setOrder(id, order) {
      const { tenantId } = await find(id)
      const change = order
        ? { order: { url: order.url }, orderKey: await keys.encrypt(tenantId, order.key) }
        : { order: null, orderKey: null }
      await db.update(certificates).set(change).where(eq(certificates.id, id))
    },

    async orderKey(id) {
      const { tenantId, orderKey } = await find(id)
      return orderKey === null ? undefined : keys.decrypt(tenantId, orderKey)
    },

    async claim(id, owner, ms) {
      const free = or(
        isNull(certificates.claimedUntil),
        lt(certificates.claimedUntil, sql`now()`),
        eq(certificates.claimedBy, owner),
      )
      const claimed = await db
        .update(certificates)
        .set({ claimedBy: owner, claimedUntil: sql`now() + ${ms} * interval '1 millisecond'` })
        .where(and(eq(certificates.id, id), free))
        .returning({ id: certificates.id })
      return claimed.length > 0
    },

    async release(id, owner) {
      await db
        .update(certificates)
        .set({ claimedBy: null, claimedUntil: null })
        .where(and(eq(certificates.id, id), eq(certificates.claimedBy, owner)))
    },

    async account(tenantId, name, make) {
      if (!(await accountOf(tenantId, name))) {
        const key = await keys.encrypt(tenantId, make())
        await db.insert(acmeAccounts).values({ tenantId, name, key }).onConflictDoNothing()
      }
      const row = await accountOf(tenantId, name)
      if (!row) throw new KitbagError('internal', `the account ${name} was not stored`)
      return { key: await keys.decrypt(tenantId, row.key), url: row.url }
    },

    async setAccountUrl(tenantId, name, url) {
      await db
        .update(acmeAccounts)
        .set({ url })
        .where(and(eq(acmeAccounts.tenantId, tenantId), eq(acmeAccounts.name, name)))
    },
  }
}
