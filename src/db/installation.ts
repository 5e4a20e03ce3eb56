import type { NodePgDatabase } from 'drizzle-orm/node-postgres'
import { KitbagError } from '../model/errors.ts'
import { newId } from '../model/ids.ts'
import type { Database } from './database.ts'
import type { Keys } from './keys.ts'
import { installations, tenants } from './schema.ts'
import type { InstallationStore } from './store.ts'

/** Makes the one installation and its first tenant, unless they are there. Runs under the migration lock. */
export async function ensureInstallation(
  db: NodePgDatabase,
  keys: Keys,
  generateKeyPair: (comment: string) => { privateKey: string; publicKey: string },
): Promise<void> {
  const [existing] = await db.select().from(installations)
  if (existing) return checkMasterKey(keys, existing.sshPrivateKey)
  const id = newId('ins')
  const { privateKey, publicKey } = generateKeyPair(`kitbag ${id}`)
  await db.transaction(async (tx) => {
    await tx.insert(installations).values({ id, sshPublicKey: publicKey, sshPrivateKey: keys.encryptOwn(privateKey) })
    await tx.insert(tenants).values({ id: newId('ten'), name: 'default', dataKey: keys.wrappedDataKey() })
  })
}

function checkMasterKey(keys: Keys, sealed: Buffer): void {
  try {
    keys.decryptOwn(sealed)
  } catch (cause) {
    throw new KitbagError('prerequisite-missing', 'this database was encrypted with another master key', {
      cause,
      fix: 'Point KITBAG_MASTER_KEY_FILE at the master key that this database was first used with.',
    })
  }
}

export function createInstallationStore(db: Database, keys: Keys): InstallationStore {
  return {
    async get() {
      const [row] = await db.select().from(installations)
      const [tenant] = await db.select({ id: tenants.id }).from(tenants).orderBy(tenants.id).limit(1)
      if (!row || !tenant) throw new KitbagError('internal', 'the database holds no installation')
      return {
        id: row.id,
        sshPublicKey: row.sshPublicKey,
        sshPrivateKey: keys.decryptOwn(row.sshPrivateKey),
        tenantId: tenant.id,
      }
    },
  }
}
