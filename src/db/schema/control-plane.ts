import { jsonb, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
import type { JsonObject } from '../../model/json.ts'
import { at, bytea } from './columns.ts'
import { tenant } from './tenants.ts'

/** One row: this control plane. */
export const installations = pgTable('installations', {
  id: text('id').primaryKey(),
  createdAt: at('created_at').notNull().defaultNow(),
  /** SSH key pair that logs in to machines; the private half is encrypted. */
  sshPublicKey: text('ssh_public_key').notNull(),
  sshPrivateKey: bytea('ssh_private_key').notNull(),
})

export const tokens = pgTable('tokens', {
  id: text('id').primaryKey(),
  tenantId: tenant(),
  name: text('name').notNull(),
  /** sha256 of the token; tokens are 256 random bits, so no slow hash is needed. */
  hash: text('hash').notNull().unique(),
  createdAt: at('created_at').notNull().defaultNow(),
})

export const clouds = pgTable(
  'clouds',
  {
    id: text('id').primaryKey(),
    tenantId: tenant(),
    name: text('name').notNull(),
    provider: text('provider').notNull(),
    settings: jsonb('settings').$type<JsonObject>().notNull(),
    /** JSON, encrypted with the tenant's data key. */
    credentials: bytea('credentials').notNull(),
    createdAt: at('created_at').notNull().defaultNow(),
  },
  (t) => [uniqueIndex('clouds_name').on(t.tenantId, t.name)],
)
