import { pgTable, text } from 'drizzle-orm/pg-core'
import { at, bytea } from './columns.ts'

export const tenants = pgTable('tenants', {
  id: text('id').primaryKey(),
  name: text('name').notNull().unique(),
  /** Data key, wrapped by the master key. */
  dataKey: bytea('data_key').notNull(),
  createdAt: at('created_at').notNull().defaultNow(),
})

/** The column that says whose a row is. */
export const tenant = () =>
  text('tenant_id')
    .notNull()
    .references(() => tenants.id)
