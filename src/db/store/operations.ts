import type { ErrorRecord } from '../../model/errors.ts'
import type { JsonObject } from '../../model/json.ts'
import type {
  OperationEvent,
  OperationKind,
  OperationRecord,
  OperationRequest,
  OperationResult,
  OperationStatus,
  UnitRecord,
  UnitStage,
  UnitStatus,
} from '../../model/operation.ts'
import type { Plan } from '../../model/plan.ts'
import type { Page } from './page.ts'

export interface NewOperation {
  tenantId: string
  deploymentId: string
  deployment: string
  kind: OperationKind
  request: OperationRequest
  idempotencyKey?: string
  /** Digest of what the client sent with the key; default: of kind, deployment and request. */
  requestDigest?: string
  onConflict?: 'wait' | 'refuse'
  /** What it brings into force, stored with it or not at all; null deletes. */
  overrides?: { scope: string; changes: Record<string, JsonObject | null> }
}

/** Every change of an operation's status also appends its `operation` event, in the same transaction. */
export interface OperationStore {
  /**
   * Queues. With the idempotency key of an earlier call: that operation, or `idempotency-mismatch` when the request differed.
   * `onConflict: 'refuse'`: throws `operation-running` (naming it) while another one of this deployment is open.
   */
  submit(operation: NewOperation): Promise<{ operation: OperationRecord; existing: boolean }>
  /** What an earlier submission with this key made, so that a repeated request need not be worked out again. */
  byIdempotencyKey(
    tenantId: string,
    key: string,
  ): Promise<{ operation: OperationRecord; requestDigest: string } | undefined>
  /** With a tenant: undefined also for another tenant's. */
  get(id: string, tenantId?: string): Promise<OperationRecord | undefined>
  list(
    tenantId: string,
    filter: { deployment?: string; status?: OperationStatus[] },
    page: Page,
  ): Promise<OperationRecord[]>
  /** Turns the oldest queued operation of every idle deployment to `running` and returns them; each is returned to one caller only. */
  claim(limit: number): Promise<OperationRecord[]>
  /** Running rows whose workflow's start was never acknowledged, older than `age` ms: a dispatcher died in between. */
  undispatched(age: number): Promise<OperationRecord[]>
  /** All running and cancelling rows. */
  running(): Promise<OperationRecord[]>
  dispatched(id: string): Promise<void>
  /** queued -> cancelled at once; running -> cancelling; final: unchanged. Returns the row. */
  cancel(id: string): Promise<OperationRecord | undefined>
  finish(
    id: string,
    outcome: { status: 'succeeded' | 'failed' | 'cancelled'; result?: OperationResult; error?: ErrorRecord },
  ): Promise<void>
  /** Stores the plan and its unit rows (pending) in one transaction; keeps the stored one when there is one. */
  savePlan(id: string, stage: UnitStage, plan: Plan): Promise<Plan>
  plan(id: string, stage: UnitStage): Promise<Plan | undefined>
  units(id: string): Promise<UnitRecord[]>
  /** Written before (`running`, attempts + 1) and after each effect; also appends the `unit` event in the same transaction. */
  setUnit(
    id: string,
    stage: UnitStage,
    unitId: string,
    change: { status: UnitStatus; error?: ErrorRecord },
  ): Promise<void>
  /** Appends and announces. Many at once, in order. */
  appendEvents(id: string, events: { type: OperationEvent['type']; data: Record<string, unknown> }[]): Promise<void>
  events(id: string, afterSeq: number, limit: number): Promise<OperationEvent[]>
}
