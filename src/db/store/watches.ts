import type { JsonObject } from '../../model/json.ts'
import type { OperationKind, OperationStatus } from '../../model/operation.ts'
import type { WatchDecision, WatchDecisionRecord, WatchLevel } from '../../model/watch.ts'
import type { NewOperation } from './operations.ts'
import type { Page } from './page.ts'

export interface WatchStore {
  /** Deployments with a release in force, with its number. */
  candidates(): Promise<{ deploymentId: string; release: number }[]>
  /** Begins a watch, and ends every earlier one: that can write no more. undefined: there is no such deployment. */
  begin(deploymentId: string): Promise<{ epoch: number; states: Record<string, JsonObject> } | undefined>
  /** How the deployment stands, with the overrides of these scopes, in one query. undefined: it is gone. */
  glance(deploymentId: string, scopes: string[]): Promise<WatchGlance | undefined>
  /**
   * Writes what a look came to, all or nothing: decisions, state, and the operation that it submits (once per key). false: somebody else
   * watches now, and nothing was written.
   */
  record(deploymentId: string, epoch: number, outcome: WatchWrite): Promise<boolean>
  /** Newest first. */
  decisions(deploymentId: string, service: string, page: Page): Promise<WatchDecisionRecord[]>
  /** What the service kept at its last look. */
  state(deploymentId: string, service: string): Promise<JsonObject>
}

export interface ServiceEventStore {
  /** What was done to a service, and what it decided by itself; newest first. */
  list(deploymentId: string, service: string, page: Page): Promise<ServiceEvent[]>
}

export interface ServiceEvent {
  /** Where a page goes on. */
  key: string
  at: Date
  /** Absent: a decision of the service's own. */
  operation?: { id: string; kind: OperationKind; status: OperationStatus }
  level: WatchLevel
  /** Of an operation: why it failed. */
  message: string
  data: Record<string, unknown>
}

export interface WatchGlance {
  id: string
  tenantId: string
  name: string
  currentRelease: number | null
  /** An operation that is not over, pushes left out. */
  operation: { id: string; kind: OperationKind; status: OperationStatus } | null
  /** Scope -> key -> value. */
  overrides: Record<string, Record<string, JsonObject>>
}

export interface WatchWrite {
  service: string
  state?: JsonObject
  decisions?: WatchDecision[]
  operation?: NewOperation
}
