import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import { migrate } from 'drizzle-orm/node-postgres/migrator'
import type pg from 'pg'
import { packageRoot } from '../lib/package-root.ts'

/** Any fixed number that is Kitbag's own; advisory locks are known by it. */
const lock = 4_548_100_271

/**
 * Brings the schema up to date, then runs `seed` under the same lock: of several processes that start at once, one does the work
 * and the others wait and find it done.
 */
export async function migrateDatabase(pool: pg.Pool, seed: (db: NodePgDatabase) => Promise<void>): Promise<void> {
  const client = await pool.connect()
  try {
    const db = drizzle(client)
    await db.execute(sql`select pg_advisory_lock(${lock}::bigint)`)
    try {
      await db.execute(sql`set client_min_messages to warning`)
      await migrate(db, { migrationsFolder: join(packageRoot(), 'src/db/migrations') })
      await seed(db)
    } finally {
      await db.execute(sql`select pg_advisory_unlock(${lock}::bigint)`)
    }
  } finally {
    client.release()
  }
}
