import type { Canary } from './canary.ts'
import type { ErrorRecord } from './errors.ts'
import type { ImportedMachine } from './imported-machine.ts'
import type { UnitKind } from './plan.ts'

/**
 * `heal` replaces machines that are dead. `import` takes in a machine that runs already; `forget` lets machines go as they are. `push` brings a stored override into force on running machines; it takes no deployment lock.
 */
export type OperationKind =
  | 'deploy'
  | 'rollback'
  | 'scale'
  | 'heal'
  | 'import'
  | 'forget'
  | 'check'
  | 'destroy'
  | 'push'

export type OperationStatus = 'queued' | 'running' | 'cancelling' | 'succeeded' | 'failed' | 'cancelled'

const finalStatuses = ['succeeded', 'failed', 'cancelled'] as const satisfies OperationStatus[]

export function isFinal(status: OperationStatus): boolean {
  return (finalStatuses as readonly string[]).includes(status)
}

export type UnitStatus = 'pending' | 'running' | 'done' | 'failed' | 'skipped'

/** What the submitter asked for; by kind. */
export interface OperationRequest {
  /** deploy, rollback: the release to reach. */
  release?: number
  /** deploy: refuse unless the plan made when its turn comes has this digest. */
  plan?: string
  /** Components whose data may be lost. */
  allowDataLoss?: string[]
  /** deploy: keep what a failed first deploy made. */
  keepFailed?: boolean
  /** deploy: the release goes to these machines only, on trial. */
  canary?: Canary
  /** scale: component -> replicas. */
  scale?: Record<string, number>
  /** heal: ids of the machines that are dead. */
  lost?: string[]
  /** import: the machine, as it was found and looked at. */
  import?: ImportedMachine
  /** forget: names of machines; absent: all, with the deployment. */
  machines?: string[]
  /** destroy: names of imported machines that are deleted too. */
  deleteImported?: string[]
  /** push: toolkit service; absent: firewalls of machines that a change could not reach. */
  service?: string
  /** push: the service's row (a certificate's id) that somebody asked to have refreshed. */
  refresh?: string
}

/** Whether nothing is left of the deployment afterwards. */
export function endsDeployment({ kind, request }: { kind: OperationKind; request: OperationRequest }): boolean {
  return kind === 'destroy' || (kind === 'forget' && !request.machines)
}

export interface OperationResult {
  /** Units done and machines touched, for the summary. */
  units?: number
  /** check: what differs from what was applied. */
  drift?: { machine: string; resource: string; changes: string[]; diff?: string }[]
  /** Machines that could not be reached, while others took the change: they are brought level when they answer. */
  behind?: { machine: string; message: string }[]
  /** Whether a failure was undone; what could not be undone. */
  undone?: boolean
  undoErrors?: ErrorRecord[]
  outputs?: Record<string, unknown>
}

export interface OperationRecord {
  id: string
  deploymentId: string
  deployment: string
  kind: OperationKind
  status: OperationStatus
  request: OperationRequest
  result: OperationResult | null
  error: ErrorRecord | null
  createdAt: Date
  startedAt: Date | null
  finishedAt: Date | null
}

/** `main`: the plan asked for. `undo`: the plan back, after a failure or a cancellation. */
export type UnitStage = 'main' | 'undo'

export interface UnitRecord {
  id: string
  stage: UnitStage
  kind: UnitKind
  component: string
  machine: string
  status: UnitStatus
  reason: string
  attempts: number
  startedAt: Date | null
  finishedAt: Date | null
  error: ErrorRecord | null
}

/** One line of an operation's story; ordered by `seq`, which is also the SSE event id. */
export interface OperationEvent {
  seq: number
  at: Date
  type: 'operation' | 'plan' | 'unit' | 'resource' | 'log'
  /** operation: {status}; unit: {id, kind, machine, status, seconds?, error?}; resource: a ResourceEvent + {machine}; log: {level, message}. */
  data: Record<string, unknown>
}
