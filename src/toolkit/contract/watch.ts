import type { ResolvedComponent } from '../../model/blueprint.ts'
import type { MachineCost } from '../../model/cost.ts'
import type { JsonObject } from '../../model/json.ts'
import type { MachineAccess, MachineRecord } from '../../model/machine.ts'
import type { OperationKind, OperationRecord, OperationRequest } from '../../model/operation.ts'
import type { WatchDecision, WatchDecisionRecord } from '../../model/watch.ts'
import type { ControlContext, Overrides } from './control.ts'
import type { Sample } from './figures.ts'
import type { Concerns } from './notices.ts'

export interface WatchReader {
  /** What the watch kept at its last look. */
  state(): Promise<JsonObject>
  /** What it saw and decided, newest first. */
  decisions(limit: number): Promise<WatchDecisionRecord[]>
}

/** How a machine was found. `reached`: it answers over SSH; `ok`: and its component is healthy. */
export interface Probe {
  ok: boolean
  reached: boolean
  detail: string
}

/** `absent`: the cloud does not know it, or not any more. */
export type CloudStatus = 'pending' | 'running' | 'stopped' | 'absent'

/** What a look gets: the deployment as it is, read once for all services that look at the same time. */
export interface WatchContext<Spec> extends ControlContext<Spec> {
  deployment: { id: string; name: string }
  /** Of the release in force, as it is scaled now; the services' own machines are among them. */
  components: ResolvedComponent[]
  /** Every machine of the deployment. */
  rows: MachineRecord[]
  /** The service's own. */
  overrides: Overrides
  /** An operation that is not over, pushes left out: what machines are like is its business. */
  operation: { id: string; kind: OperationKind } | null
  /** Milliseconds since 1970. */
  now: number
  /** What the last look kept; at first `{}`. */
  state: JsonObject
  signal: AbortSignal
  /** Whether a machine answers, and passes its component's health check. Never rejects. */
  probe(row: MachineRecord): Promise<Probe>
  /** What its cloud says of a machine. Rejects with the cloud's words when that does not answer. */
  atCloud(row: MachineRecord): Promise<CloudStatus>
  /** Figures of the release's other services; one that does not answer is left out, and named in `silent`. */
  metrics(): Promise<{ samples: Sample[]; silent: string[] }>
  /** The first of the release's services that can be asked in PromQL. */
  queries?: {
    expressionOf(word: string, component: string): string | undefined
    latest(expression: string): Promise<{ at: number; value: number } | undefined>
  }
  /** How to reach a machine; undefined: it has no address yet. */
  access(row: MachineRecord): MachineAccess | undefined
  /** What machines cost, by the prices of their clouds; asks no cloud. */
  costs(): Promise<(row: MachineRecord) => MachineCost>
  /** For the service's own use: kept in this process alone, for as long as it watches. */
  memo: Record<string, unknown>
  /** What became of the operation that an earlier look submitted under this key. */
  submitted(key: string): Promise<OperationRecord | undefined>
}

/** What a look came to; all of it is stored or nothing is. */
export interface WatchOutcome {
  /** For the next look and for reads; absent: as it was. Keep it small. */
  state?: JsonObject
  decisions?: WatchDecision[]
  /** Submitted as by anybody, once per key. */
  operation?: { kind: OperationKind; request: OperationRequest; key: string }
  /** Milliseconds to the next look, where that shall be sooner than usual. */
  again?: number
}

/** Lets a service act by itself, at intervals, for as long as its release is in force. Exactly one process asks at a time. */
export interface ToolkitWatch<Spec = unknown> {
  /** Milliseconds between two looks, 1 s at least. undefined: this section has nothing to watch. Pure. */
  interval(spec: Spec): number | undefined
  /** `false`: its looks get no overrides, because it has very many and asks for none. */
  overrides?: false
  /**
   * Looks once. Called one at a time; what it throws is told in the log and the next look comes at its time. It may be cut off and called
   * again anywhere else, so whatever it does besides its outcome bears being repeated.
   */
  look(context: WatchContext<Spec>): Promise<WatchOutcome | void>
  /**
   * Ids of machines that are dead, so that a change which is about to be planned replaces them rather than fail on them. It may take its
   * time to find out; nothing is stored.
   */
  dead?(context: WatchContext<Spec>): Promise<string[]>
  /** What people are told of, where a service of the release takes notices; absent: nothing. */
  concerns?: Concerns<Spec>
}
