import { boolean, integer, jsonb, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import type { CertificateOrder, Challenge } from '../../model/certificate.ts'
import { at, bytea } from './columns.ts'
import { deployments, machines } from './deployments.ts'
import { tenant } from './tenants.ts'

/** The deployment's own certificate authority. */
export const certificateAuthorities = pgTable('certificate_authorities', {
  id: text('id').primaryKey(),
  tenantId: tenant(),
  deploymentId: text('deployment_id')
    .notNull()
    .unique()
    .references(() => deployments.id, { onDelete: 'cascade' }),
  certificate: text('certificate').notNull(),
  /** Encrypted with the tenant's data key. */
  key: bytea('key').notNull(),
  createdAt: at('created_at').notNull().defaultNow(),
})

/** One row for each issuer and set of hosts that a certificate ever had, so that a rollback finds its own again. */
export const certificates = pgTable(
  'certificates',
  {
    id: text('id').primaryKey(),
    tenantId: tenant(),
    deploymentId: text('deployment_id')
      .notNull()
      .references(() => deployments.id, { onDelete: 'cascade' }),
    service: text('service').notNull(),
    name: text('name').notNull(),
    purpose: text('purpose').notNull(),
    version: integer('version').notNull().default(1),
    chain: text('chain').notNull(),
    /** Encrypted with the tenant's data key. */
    key: bytea('key').notNull(),
    standIn: boolean('stand_in').notNull(),
    notBefore: at('not_before').notNull(),
    notAfter: at('not_after').notNull(),
    nextTry: at('next_try'),
    failures: integer('failures').notNull().default(0),
    error: text('error'),
    order: jsonb('order').$type<CertificateOrder>(),
    /** Key of the order, encrypted. */
    orderKey: bytea('order_key'),
    challenges: jsonb('challenges').$type<Challenge[]>().notNull().default([]),
    /** Who is getting the next one, and until when nobody else does. */
    claimedBy: text('claimed_by'),
    claimedUntil: at('claimed_until'),
    createdAt: at('created_at').notNull().defaultNow(),
  },
  (t) => [uniqueIndex('certificates_purpose').on(t.deploymentId, t.service, t.name, t.purpose)],
)

/** What machines serve with whose recipes speak TLS: certificates of the deployment's own authority. */
export const serverCertificates = pgTable('server_certificates', {
  machineId: text('machine_id')
    .primaryKey()
    .references(() => machines.id, { onDelete: 'cascade' }),
  tenantId: tenant(),
  version: integer('version').notNull().default(1),
  certificate: text('certificate').notNull(),
  /** Encrypted with the tenant's data key. */
  key: bytea('key').notNull(),
  hosts: jsonb('hosts').$type<string[]>().notNull(),
  renewAt: at('renew_at').notNull(),
  createdAt: at('created_at').notNull().defaultNow(),
})

/** Accounts at certificate authorities; they outlive deployments, because authorities limit how many are made. */
export const acmeAccounts = pgTable(
  'acme_accounts',
  {
    tenantId: tenant(),
    /** Digest of directory, contact and external account. */
    name: text('name').notNull(),
    /** Encrypted with the tenant's data key. */
    key: bytea('key').notNull(),
    url: text('url'),
    createdAt: at('created_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.name] })],
)
