import type { ErrorRecord } from '../model/errors.ts'

/** An operation as the API gives it. */
export interface OperationBody {
  id: string
  deployment: string
  kind: string
  status: string
  result: {
    drift?: { machine: string; resource: string; changes: string[]; diff?: string }[]
    behind?: { machine: string; message: string }[]
    undone?: boolean
  } | null
  error: ErrorRecord | null
  createdAt: string
  finishedAt: string | null
}

export function isFinal(status: string): boolean {
  return ['succeeded', 'failed', 'cancelled'].includes(status)
}
