import { z } from '@hono/zod-openapi'
import type { OperationEvent, OperationRecord, UnitRecord } from '../../model/operation.ts'
import { errorRecordSchema } from './problem.ts'

export const operationKind = z
  .enum(['deploy', 'rollback', 'scale', 'heal', 'import', 'forget', 'check', 'destroy', 'push'])
  .openapi('OperationKind')

export const operationStatus = z
  .enum(['queued', 'running', 'cancelling', 'succeeded', 'failed', 'cancelled'])
  .openapi('OperationStatus')

const unitKind = z.enum([
  'create',
  'install',
  'migrate',
  'leave',
  'configure',
  'ready',
  'join',
  'destroy',
  'adopt',
  'forget',
  'check',
])

export const operationSchema = z
  .object({
    id: z.string().openapi({ example: 'op_aaab3k2m9xqwertyuiop' }),
    deployment: z.string(),
    kind: operationKind,
    status: operationStatus,
    request: z.record(z.string(), z.unknown()).openapi({ description: 'What was asked for: release, scale, ...' }),
    result: z
      .record(z.string(), z.unknown())
      .nullable()
      .openapi({ description: 'units, drift, behind, undone, outputs' }),
    error: errorRecordSchema.nullable(),
    createdAt: z.string(),
    startedAt: z.string().nullable(),
    finishedAt: z.string().nullable(),
  })
  .openapi('Operation')

export const unitSchema = z
  .object({
    id: z.string().openapi({ example: 'web-1/install' }),
    stage: z.enum(['main', 'undo']),
    kind: unitKind,
    component: z.string(),
    machine: z.string(),
    status: z.enum(['pending', 'running', 'done', 'failed', 'skipped']),
    reason: z.string(),
    attempts: z.int(),
    startedAt: z.string().nullable(),
    finishedAt: z.string().nullable(),
    error: errorRecordSchema.nullable(),
  })
  .openapi('Unit')

const eventSchema = z
  .object({
    seq: z.int(),
    at: z.string(),
    type: z.enum(['operation', 'plan', 'unit', 'resource', 'log']),
    data: z.record(z.string(), z.unknown()),
  })
  .openapi('OperationEvent')

export type Operation = z.infer<typeof operationSchema>
export type Unit = z.infer<typeof unitSchema>
export type Event = z.infer<typeof eventSchema>

const time = (date: Date | null) => date?.toISOString() ?? null

export function presentOperation(record: OperationRecord): Operation {
  const { id, deployment, kind, status, request, result, error } = record
  return {
    id,
    deployment,
    kind,
    status,
    request: { ...request },
    result: result && { ...result },
    error,
    createdAt: record.createdAt.toISOString(),
    startedAt: time(record.startedAt),
    finishedAt: time(record.finishedAt),
  }
}

export function presentUnit(unit: UnitRecord): Unit {
  return { ...unit, startedAt: time(unit.startedAt), finishedAt: time(unit.finishedAt) }
}

export function presentEvent({ seq, at, type, data }: OperationEvent): Event {
  return { seq, at: at.toISOString(), type, data }
}
