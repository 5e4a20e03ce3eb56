import { sql } from 'drizzle-orm'
import { boolean, integer, jsonb, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import type { Address, MachineStatus, ResolvedMachineSpec } from '../../model/machine.ts'
import type { ReleaseSpec } from '../../model/release.ts'
import { at, bytea } from './columns.ts'
import { clouds } from './control-plane.ts'
import { tenant } from './tenants.ts'

export const deployments = pgTable(
  'deployments',
  {
    id: text('id').primaryKey(),
    tenantId: tenant(),
    name: text('name').notNull(),
    /** Default cloud for components that name none; null until the first deploy (a secret may be set before). */
    cloudId: text('cloud_id').references(() => clouds.id),
    /** Number of the release that is in force; null before the first deploy succeeded. */
    currentRelease: integer('current_release'),
    createdAt: at('created_at').notNull().defaultNow(),
  },
  (t) => [uniqueIndex('deployments_name').on(t.tenantId, t.name)],
)

export const releases = pgTable(
  'releases',
  {
    id: text('id').primaryKey(),
    tenantId: tenant(),
    deploymentId: text('deployment_id')
      .notNull()
      .references(() => deployments.id, { onDelete: 'cascade' }),
    number: integer('number').notNull(),
    spec: jsonb('spec').$type<ReleaseSpec>().notNull(),
    digest: text('digest').notNull(),
    createdAt: at('created_at').notNull().defaultNow(),
  },
  (t) => [uniqueIndex('releases_number').on(t.deploymentId, t.number)],
)

export const machines = pgTable(
  'machines',
  {
    id: text('id').primaryKey(),
    tenantId: tenant(),
    deploymentId: text('deployment_id')
      .notNull()
      .references(() => deployments.id),
    component: text('component').notNull(),
    name: text('name').notNull(),
    ordinal: integer('ordinal').notNull(),
    cloudId: text('cloud_id')
      .notNull()
      .references(() => clouds.id),
    /** Chosen and stored before the create call; the provider's idempotency token. */
    createToken: text('create_token').notNull(),
    providerId: text('provider_id'),
    /** Id of the machine that it is on, where it shares that of another component. */
    hostId: text('host_id'),
    status: text('status').$type<MachineStatus>().notNull(),
    addresses: jsonb('addresses').$type<Address[]>().notNull().default([]),
    user: text('login_user').notNull().default(''),
    sshPort: integer('ssh_port').notNull().default(22),
    hostKey: text('host_key').notNull(),
    /** Private half, encrypted, kept only until the machine was created. */
    hostKeyPrivate: bytea('host_key_private'),
    spec: jsonb('spec').$type<ResolvedMachineSpec>().notNull(),
    stateful: boolean('stateful').notNull(),
    imported: boolean('imported').notNull().default(false),
    installDigest: text('install_digest'),
    configureDigest: text('configure_digest'),
    firewallDigest: text('firewall_digest'),
    drifted: boolean('drifted').notNull().default(false),
    releaseNumber: integer('release_number'),
    createdAt: at('created_at').notNull().defaultNow(),
  },
  (t) => [
    uniqueIndex('machines_name').on(t.deploymentId, t.name),
    uniqueIndex('machines_imported').on(t.cloudId, t.providerId).where(sql`imported`),
  ],
)

/** Which migration ran: once per component and migration digest (source + command), by a deployment. */
export const migrations = pgTable(
  'component_migrations',
  {
    tenantId: tenant(),
    deploymentId: text('deployment_id')
      .notNull()
      .references(() => deployments.id, { onDelete: 'cascade' }),
    component: text('component').notNull(),
    digest: text('digest').notNull(),
    at: at('at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.deploymentId, t.component, t.digest] })],
)

/** Given secrets (`MAIL_KEY`) and generated ones (`db.password`); every version is kept while its deployment lives. */
export const secrets = pgTable(
  'secrets',
  {
    tenantId: tenant(),
    deploymentId: text('deployment_id')
      .notNull()
      .references(() => deployments.id, { onDelete: 'cascade' }),
    name: text('name').notNull(),
    version: integer('version').notNull(),
    /** Encrypted with the tenant's data key. */
    value: bytea('value').notNull(),
    createdAt: at('created_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.deploymentId, t.name, t.version] })],
)
