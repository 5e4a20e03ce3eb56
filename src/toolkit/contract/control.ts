import type { JsonObject } from '../../model/json.ts'
import type { MachineAccess } from '../../model/machine.ts'
import type { Reach } from '../../model/reach.ts'
import type { MachineFact, ResourceEvent } from '../../model/recipe.ts'
import type { MadeRows } from './values.ts'

export interface ToolkitMember {
  component: string
  machine: string
}

/** What the running service's control side gets. */
export interface ControlContext<Spec> {
  service: string
  spec: Spec
  reach: Reach
  /** The service's own machines. */
  machines: MachineAccess[]
  /** Names of the deployment's machines that an operation has in its hands: they are put back by a `join`, by nothing else. */
  unsettled: Set<string>
  signal?: AbortSignal
  /** Of a service that makes values: where it keeps them. */
  made?: MadeRows
}

/** The service's stored run-time changes: key -> value, as its routes wrote them. */
export type Overrides = Record<string, JsonObject>

export interface ToolkitControl<Spec = unknown> {
  /**
   * Takes a machine out of traffic on every node; returns when its connections ended or `drain` ms are over. One that no other stands in
   * for stays in traffic, unless it is `going` for good. Idempotent.
   */
  leave(
    context: ControlContext<Spec>,
    member: ToolkitMember,
    options: { overrides: Overrides; drain: number; going: boolean },
  ): Promise<void>
  /**
   * Puts a machine back into traffic, unless an override holds it out, and waits until every node sends to it. `going`: nodes that are
   * being removed; they were not told of new machines, and need not know this one. Idempotent.
   */
  join(
    context: ControlContext<Spec>,
    member: ToolkitMember,
    options: { overrides: Overrides; timeout: number; going: Set<string> },
  ): Promise<void>
  /**
   * Brings what can be changed at run time into force on one node before its files are written. `parameters` are the recipe's,
   * resolved. Returns the notifications (`reload:haproxy`) that the host program can leave out because of it.
   */
  beforeConfigure(
    context: ControlContext<Spec>,
    node: MachineAccess,
    parameters: Record<string, unknown>,
  ): Promise<string[]>
  /**
   * Makes sure that one node runs as its files say, after they were written: what is not in force yet is brought into force. Throws
   * `service-failed` with the service's own words when it cannot be. Idempotent.
   */
  afterConfigure(context: ControlContext<Spec>, node: MachineAccess, parameters: Record<string, unknown>): Promise<void>
  /**
   * What one node's running service does otherwise than it shall, although its files may be right: a change that was lost, or made by hand.
   * Changes nothing; what it finds is mended by the next configure. Absent: files are all there is.
   */
  drift?(context: ControlContext<Spec>, node: MachineAccess, parameters: Record<string, unknown>): Promise<Drift[]>
  /**
   * Has the service's other machines take over from one that is about to be destroyed, so that nobody notices. `going`: all nodes that
   * are; none of them takes over. Absent: there is nothing to take over. Idempotent.
   */
  retire?(context: ControlContext<Spec>, node: MachineAccess, options: { going: Set<string> }): Promise<void>
  /**
   * Answers ACME servers (http-01) for the service's host names: token -> key authorization, those given and no others, on every node
   * when it returns. Absent: the service cannot. Idempotent.
   */
  challenges?(
    context: Pick<ControlContext<Spec>, 'reach' | 'machines'>,
    challenges: ReadonlyMap<string, string>,
  ): Promise<void>
}

/** Something that runs (`process:haproxy`), and in words how it differs. */
export type Drift = Pick<ResourceEvent, 'resource' | 'changes'>

export interface PrepareInput {
  /** The name of an extra, whose parameters these are; absent: they are those of the service's own machines. */
  extra?: string
  parameters: Record<string, unknown>
  /** Of the machine that they are for. */
  address: string
  /** The service's own machines. */
  peers: MachineFact[]
  /** A number for a content's digest: the last one while it is the same, else a higher one, `least` or more. Kept under the key. */
  revision(key: string, digest: string, least: number): Promise<number>
  archives: Archives
  /** The digest of an archive with the files that `make` gives, kept for an `archive` of the recipe. The same key: the same files. */
  archive(key: string, make: () => Promise<Record<string, Buffer>>): Promise<string>
}

export interface Prepared {
  parameters: Record<string, unknown>
  /** Texts that nothing may show. */
  secrets: string[]
}

/** An uploaded archive's files: path -> content. Throws `not-found`, `invalid-request` for one that is none, `too-large`. */
export type Archives = (digest: string) => Promise<Record<string, Buffer>>
