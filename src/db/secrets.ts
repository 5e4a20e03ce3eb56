import { randomInt } from 'node:crypto'
import { and, asc, desc, eq } from 'drizzle-orm'
import type { Database } from './database.ts'
import type { Keys } from './keys.ts'
import { secrets } from './schema.ts'
import type { SecretStore } from './store.ts'
import { tenantOf } from './tenant-of.ts'

/** Letters and digits only: the same in a URL, a shell and any configuration file. 40 of them are 238 bits. */
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

function generate(): string {
  return Array.from({ length: 40 }, () => alphabet[randomInt(alphabet.length)]).join('')
}

export function createSecretStore(db: Database, keys: Keys): SecretStore {
  /** Stores what `next` makes of the newest value; undefined: that one stays. The deployment's row is the lock. */
  async function store(
    deploymentId: string,
    name: string,
    next: (newest?: string) => string | undefined,
  ): Promise<number> {
    return db.transaction(async (tx) => {
      const tenantId = await tenantOf(tx, deploymentId, { lock: true })
      const [last] = await tx
        .select({ version: secrets.version, value: secrets.value })
        .from(secrets)
        .where(and(eq(secrets.deploymentId, deploymentId), eq(secrets.name, name)))
        .orderBy(desc(secrets.version))
        .limit(1)
      const value = next(last && (await keys.decrypt(tenantId, last.value)))
      if (value === undefined) return last?.version ?? 0
      const version = (last?.version ?? 0) + 1
      await tx
        .insert(secrets)
        .values({ tenantId, deploymentId, name, version, value: await keys.encrypt(tenantId, value) })
      return version
    })
  }

  return {
    async set(deploymentId, name, value) {
      return store(deploymentId, name, (newest) => (newest === value ? undefined : value))
    },

    async ensureGenerated(deploymentId, name) {
      return store(deploymentId, name, (newest) => (newest === undefined ? generate() : undefined))
    },

    async get(deploymentId, name, version) {
      const [row] = await db
        .select({ tenantId: secrets.tenantId, value: secrets.value })
        .from(secrets)
        .where(and(eq(secrets.deploymentId, deploymentId), eq(secrets.name, name), eq(secrets.version, version)))
      return row && keys.decrypt(row.tenantId, row.value)
    },

    async list(deploymentId) {
      return db
        .selectDistinctOn([secrets.name], {
          name: secrets.name,
          version: secrets.version,
          createdAt: secrets.createdAt,
        })
        .from(secrets)
        .where(eq(secrets.deploymentId, deploymentId))
        .orderBy(asc(secrets.name), desc(secrets.version))
    },

    async remove(deploymentId, name) {
      const removed = await db
        .delete(secrets)
        .where(and(eq(secrets.deploymentId, deploymentId), eq(secrets.name, name)))
        .returning({ version: secrets.version })
      return removed.length > 0
    },
  }
}
