import type { OperationRecord } from '../model/operation.ts'
import type { operations } from './schema.ts'

/** A row as everybody outside the store knows it. */
export function toOperation(row: typeof operations.$inferSelect): OperationRecord {
  const { id, deploymentId, deployment, kind, status, request, result, error, createdAt, startedAt, finishedAt } = row
  return { id, deploymentId, deployment, kind, status, request, result, error, createdAt, startedAt, finishedAt }
}
