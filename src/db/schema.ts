import { sql } from 'drizzle-orm'
import {
  bigint,
  bigserial,
  boolean,
  customType,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import type { CertificateOrder, Challenge } from '../model/certificate.ts'
import type { ErrorRecord } from '../model/errors.ts'
import type { JsonObject } from '../model/json.ts'
import type { Address, MachineStatus, ResolvedMachineSpec } from '../model/machine.ts'
import type {
  OperationKind,
  OperationRequest,
  OperationResult,
  OperationStatus,
  UnitStage,
  UnitStatus,
} from '../model/operation.ts'
import type { Plan, UnitKind } from '../model/plan.ts'
import type { ReleaseSpec } from '../model/release.ts'
import type { WatchLevel } from '../model/watch.ts'

const bytea = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'bytea' })
const at = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })
const tenant = () =>
  text('tenant_id')
    .notNull()
    .references(() => tenants.id)

/** One row: this control plane. */
export const installations = pgTable('installations', {
  id: text('id').primaryKey(),
  createdAt: at('created_at').notNull().defaultNow(),
  /** SSH key pair that logs in to machines; the private half is encrypted. */
  sshPublicKey: text('ssh_public_key').notNull(),
  sshPrivateKey: bytea('ssh_private_key').notNull(),
})

export const tenants = pgTable('tenants', {
  id: text('id').primaryKey(),
  name: text('name').notNull().unique(),
  /** Data key, wrapped by the master key. */
  dataKey: bytea('data_key').notNull(),
  createdAt: at('created_at').notNull().defaultNow(),
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
    status: text('status').$type<MachineStatus>().notNull(),
    addresses: jsonb('addresses').$type<Address[]>().notNull().default([]),
    user: text('login_user').notNull().default(''),
    sshPort: integer('ssh_port').notNull().default(22),
    hostKey: text('host_key').notNull(),
    /** Private half, encrypted, kept only until the machine was created. */
    hostKeyPrivate: bytea('host_key_private'),
    spec: jsonb('spec').$type<ResolvedMachineSpec>().notNull(),
    stateful: boolean('stateful').notNull(),
    installDigest: text('install_digest'),
    configureDigest: text('configure_digest'),
    firewallDigest: text('firewall_digest'),
    drifted: boolean('drifted').notNull().default(false),
    releaseNumber: integer('release_number'),
    createdAt: at('created_at').notNull().defaultNow(),
  },
  (t) => [uniqueIndex('machines_name').on(t.deploymentId, t.name)],
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

export const operations = pgTable(
  'operations',
  {
    id: text('id').primaryKey(),
    tenantId: tenant(),
    /** No foreign key: an operation's row outlives its deployment. */
    deploymentId: text('deployment_id').notNull(),
    deployment: text('deployment').notNull(),
    kind: text('kind').$type<OperationKind>().notNull(),
    status: text('status').$type<OperationStatus>().notNull(),
    request: jsonb('request').$type<OperationRequest>().notNull(),
    idempotencyKey: text('idempotency_key'),
    /** Digest of the request that came with the key. */
    requestDigest: text('request_digest'),
    plan: jsonb('plan').$type<Plan>(),
    undoPlan: jsonb('undo_plan').$type<Plan>(),
    result: jsonb('result').$type<OperationResult>(),
    error: jsonb('error').$type<ErrorRecord>(),
    /** Set once the workflow's start was acknowledged. */
    dispatchedAt: at('dispatched_at'),
    createdAt: at('created_at').notNull().defaultNow(),
    startedAt: at('started_at'),
    finishedAt: at('finished_at'),
  },
  (t) => [
    uniqueIndex('operations_running')
      .on(t.deploymentId)
      .where(sql`status in ('running', 'cancelling') and kind <> 'push'`),
    uniqueIndex('operations_idempotency').on(t.tenantId, t.idempotencyKey).where(sql`idempotency_key is not null`),
    index('operations_open').on(t.status).where(sql`status in ('queued', 'running', 'cancelling')`),
    index('operations_deployment').on(t.deploymentId, t.createdAt),
  ],
)

export const operationUnits = pgTable(
  'operation_units',
  {
    operationId: text('operation_id')
      .notNull()
      .references(() => operations.id, { onDelete: 'cascade' }),
    stage: text('stage').$type<UnitStage>().notNull(),
    id: text('id').notNull(),
    kind: text('kind').$type<UnitKind>().notNull(),
    component: text('component').notNull(),
    machine: text('machine').notNull(),
    reason: text('reason').notNull(),
    status: text('status').$type<UnitStatus>().notNull(),
    attempts: integer('attempts').notNull().default(0),
    error: jsonb('error').$type<ErrorRecord>(),
    startedAt: at('started_at'),
    finishedAt: at('finished_at'),
  },
  (t) => [primaryKey({ columns: [t.operationId, t.stage, t.id] })],
)

export const operationEvents = pgTable(
  'operation_events',
  {
    seq: bigserial('seq', { mode: 'number' }).primaryKey(),
    operationId: text('operation_id')
      .notNull()
      .references(() => operations.id, { onDelete: 'cascade' }),
    at: at('at').notNull().defaultNow(),
    type: text('type').notNull(),
    data: jsonb('data').$type<Record<string, unknown>>().notNull(),
  },
  (t) => [index('operation_events_operation').on(t.operationId, t.seq)],
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
