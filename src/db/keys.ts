import { eq } from 'drizzle-orm'
import { decrypt, deriveKey, encrypt, generateKey } from '../lib/encryption.ts'
import type { Database } from './database.ts'
import { tenants } from './schema.ts'

/** Encrypts what is secret at rest: each tenant's rows under a data key of its own, and that under the master key. */
export interface Keys {
  /** A new data key, wrapped, for a new tenant. */
  wrappedDataKey(): Buffer
  encrypt(tenantId: string, plain: string): Promise<Buffer>
  decrypt(tenantId: string, sealed: Buffer): Promise<string>
  /** For what belongs to the installation and no tenant. */
  encryptOwn(plain: string): Buffer
  decryptOwn(sealed: Buffer): string
}

export function createKeys(db: Database, masterKey: Buffer): Keys {
  const wrapping = deriveKey(masterKey, 'data keys')
  const own = deriveKey(masterKey, 'installation')
  const known = new Map<string, Buffer>()

  async function dataKey(tenantId: string): Promise<Buffer> {
    const cached = known.get(tenantId)
    if (cached) return cached
    const [row] = await db.select({ dataKey: tenants.dataKey }).from(tenants).where(eq(tenants.id, tenantId))
    if (!row) throw new Error(`no tenant ${tenantId}`)
    const key = decrypt(wrapping, row.dataKey)
    known.set(tenantId, key)
    return key
  }

  return {
    wrappedDataKey: () => encrypt(wrapping, generateKey()),
    encrypt: async (tenantId, plain) => encrypt(await dataKey(tenantId), Buffer.from(plain)),
    decrypt: async (tenantId, sealed) => decrypt(await dataKey(tenantId), sealed).toString(),
    encryptOwn: (plain) => encrypt(own, Buffer.from(plain)),
    decryptOwn: (sealed) => decrypt(own, sealed).toString(),
  }
}
