import { bigint, bigserial, index, integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import type { JsonObject } from '../../model/json.ts'
import type { WatchLevel } from '../../model/watch.ts'
import { at } from './columns.ts'
import { deployments } from './deployments.ts'
import { tenant } from './tenants.ts'

/** Desired state changed at run time. `scope` is a toolkit service's name, or `scale`. */
export const overrides = pgTable(
  'overrides',
  {
    tenantId: tenant(),
    deploymentId: text('deployment_id')
      .notNull()
      .references(() => deployments.id, { onDelete: 'cascade' }),
    scope: text('scope').notNull(),
    key: text('key').notNull(),
    value: jsonb('value').$type<JsonObject>().notNull(),
    updatedAt: at('updated_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.deploymentId, t.scope, t.key] })],
)

/** Who watches a deployment, and what its services keep for their next look. */
export const watches = pgTable('watches', {
  deploymentId: text('deployment_id')
    .primaryKey()
    .references(() => deployments.id, { onDelete: 'cascade' }),
  tenantId: tenant(),
  /** Counts watchers: what one with an older number wants to write is refused. */
  epoch: integer('epoch').notNull(),
  /** Service -> its state. */
  states: jsonb('states').$type<Record<string, JsonObject>>().notNull().default({}),
})

/** What watching services saw and decided, the last ones of each. */
export const watchDecisions = pgTable(
  'watch_decisions',
  {
    seq: bigserial('seq', { mode: 'number' }).primaryKey(),
    tenantId: tenant(),
    deploymentId: text('deployment_id')
      .notNull()
      .references(() => deployments.id, { onDelete: 'cascade' }),
    service: text('service').notNull(),
    at: at('at').notNull().defaultNow(),
    level: text('level').$type<WatchLevel>().notNull(),
    message: text('message').notNull(),
    data: jsonb('data').$type<JsonObject>().notNull(),
  },
  (t) => [index('watch_decisions_service').on(t.deploymentId, t.service, t.seq)],
)

/** A number per content: it goes up when the content that a key stands for changes (serials of zones). */
export const revisions = pgTable(
  'revisions',
  {
    tenantId: tenant(),
    deploymentId: text('deployment_id')
      .notNull()
      .references(() => deployments.id, { onDelete: 'cascade' }),
    key: text('key').notNull(),
    digest: text('digest').notNull(),
    number: bigint('number', { mode: 'number' }).notNull(),
  },
  (t) => [primaryKey({ columns: [t.deploymentId, t.key] })],
)
