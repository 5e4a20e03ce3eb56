import { createHash, randomBytes } from 'node:crypto'
import { and, desc, eq } from 'drizzle-orm'
import { newId } from '../model/ids.ts'
import type { Database } from './database.ts'
import { tokens } from './schema.ts'
import type { TokenStore } from './store.ts'

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

export function createTokenStore(db: Database): TokenStore {
  return {
    async create(tenantId, name) {
      const token = `kbt_${randomBytes(32).toString('base64url')}`
      const id = newId('tok')
      await db.insert(tokens).values({ id, tenantId, name, hash: hashOf(token) })
      return { id, token }
    },

    async authenticate(token) {
      const [row] = await db
        .select({ tenantId: tokens.tenantId, name: tokens.name })
        .from(tokens)
        .where(eq(tokens.hash, hashOf(token)))
      return row
    },

    async list(tenantId) {
      return db
        .select({ id: tokens.id, name: tokens.name, createdAt: tokens.createdAt })
        .from(tokens)
        .where(eq(tokens.tenantId, tenantId))
        .orderBy(desc(tokens.id))
    },

    async remove(tenantId, id) {
      const removed = await db
        .delete(tokens)
        .where(and(eq(tokens.tenantId, tenantId), eq(tokens.id, id)))
        .returning({ id: tokens.id })
      return removed.length > 0
    },
  }
}
