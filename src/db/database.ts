import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import type { Log } from '../lib/log.ts'

/** Where PostgreSQL is: a URL, or the folder of the unix socket of an embedded one. */
export type DatabaseAddress = { url: string } | { socket: string }

/** The database, or a transaction in it. */
export type Database = Pick<
  NodePgDatabase,
  'select' | 'selectDistinctOn' | 'insert' | 'update' | 'delete' | 'execute' | 'transaction'
>

/** Each connection is a process of 5 to 8 MB at the server, and a statement takes well below a millisecond: a few do. */
const connections = 8

export function connectionOptions(address: DatabaseAddress): pg.ClientConfig {
  const common = { application_name: 'kitbag', connectionTimeoutMillis: 10_000, keepAlive: true }
  if ('url' in address) return { ...common, connectionString: address.url }
  return { ...common, host: address.socket, user: 'kitbag', database: 'kitbag' }
}

/** A pool that outlives its server: a lost connection is logged and replaced at the next use, never thrown into the process. */
export function openPool(address: DatabaseAddress, log: Log): pg.Pool {
  const pool = new pg.Pool({ ...connectionOptions(address), max: connections, idleTimeoutMillis: 5_000 })
  pool.on('error', (error) => log.warn('a database connection was lost', { reason: error.message }))
  // A client in use has no listener of the pool's; without one of its own, losing its server would end the process.
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

export function openDatabase(pool: pg.Pool): NodePgDatabase {
  return drizzle(pool)
}
