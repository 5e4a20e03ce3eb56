import { sql } from 'drizzle-orm'
import { bigserial, index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import type { ErrorRecord } from '../../model/errors.ts'
import type {
  OperationKind,
  OperationRequest,
  OperationResult,
  OperationStatus,
  UnitStage,
  UnitStatus,
} from '../../model/operation.ts'
import type { Plan, UnitKind } from '../../model/plan.ts'
import { at } from './columns.ts'
import { tenant } from './tenants.ts'

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
