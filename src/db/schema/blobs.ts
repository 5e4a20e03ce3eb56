import { boolean, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { at, bytea } from './columns.ts'
import { tenant } from './tenants.ts'

/** Content-addressed uploads: source archives and recipe folders, in 1 MiB chunks. */
export const blobs = pgTable(
  'blobs',
  {
    tenantId: tenant(),
    digest: text('digest').notNull(),
    size: integer('size').notNull(),
    /** False while chunks still arrive; such a row is removed by the next upload or after a day. */
    complete: boolean('complete').notNull().default(false),
    createdAt: at('created_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.digest] })],
)

export const blobChunks = pgTable(
  'blob_chunks',
  {
    tenantId: tenant(),
    digest: text('digest').notNull(),
    number: integer('number').notNull(),
    bytes: bytea('bytes').notNull(),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.digest, t.number] })],
)
