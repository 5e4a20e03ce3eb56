import type { z } from 'zod'
import type { ComponentExtra, ResolvedComponent } from '../model/blueprint.ts'
import type { JsonObject } from '../model/json.ts'
import type { MachineAccess } from '../model/machine.ts'
import type { Reach } from '../model/reach.ts'
import type { MachineFact } from '../model/recipe.ts'

/** What a service's planner gives: its own machines as components, and whose traffic it carries. */
export interface ToolkitPlan {
  components: ResolvedComponent[]
  /** Components whose machines leave before they are touched and join after they are healthy. */
  members: string[]
  /**
   * Component -> milliseconds for which others may go on using an address after the service has forgotten it: its machines are
   * destroyed no earlier.
   */
  lingers?: Record<string, number>
  /** Further recipes on machines of components, its own included; run in the same programs as the components' own. */
  extras?: (Omit<ComponentExtra, 'kind'> & { component: string })[]
}

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
}

/** What a read gets beside: the recipe's parameters with their references resolved, secrets blanked out. */
export interface ReadContext<Spec> extends ControlContext<Spec> {
  parameters(): Promise<Record<string, unknown>>
}

/** The service's stored run-time changes: key -> value, as its routes wrote them. */
export type Overrides = Record<string, JsonObject>

export interface ToolkitCommand {
  name: string
  summary: string
  /** The CLI command that it is a word of; default: the service's. */
  command?: string
  /** Fields of the query or the body that last arguments fill, in order. */
  arguments?: string[]
  /** Fills the body. */
  fixed?: JsonObject
  /** Field of the body that a last argument fills: the text of the file that it names (`-`: standard input). */
  file?: string
  /** Field of the answer that is printed as it is. */
  text?: string
}

/** A route of a service: data that API, OpenAPI and CLI mount. */
export interface ToolkitRoute<Spec = unknown> {
  /** `backends.list`; unique in the service. */
  id: string
  method: 'get' | 'put' | 'patch' | 'post' | 'delete'
  /** Below `/v1/deployments/{deployment}/<path>/{service}`, e.g. `/backends/{backend}/servers/{server}`. */
  path: string
  summary: string
  /** Query of a read, a zod object whose fields are texts to begin with; they become CLI options. */
  query?: z.ZodObject
  /** Body of a change, a zod object; its fields become CLI options. */
  body?: z.ZodObject
  /** Bytes that the body may have; default 2 MiB. */
  bodyLimit?: number
  response: z.ZodType
  /** CLI words after the service's command, e.g. `drain`; path parameters become arguments in path order. */
  cli?: ToolkitCommand[]
  /**
   * A read: asks the running service through Reach. A change: returns overrides to store (null deletes); the API stores them and
   * submits one `push` operation, and answers 202.
   */
  read?(context: ReadContext<Spec>, params: Record<string, string>, query: JsonObject): Promise<unknown>
  /** Has the running service do what changes nothing of what shall be (a silence, a test); answers 200. */
  call?(context: ReadContext<Spec>, params: Record<string, string>, body: JsonObject): Promise<unknown>
  change?(input: {
    spec: Spec
    params: Record<string, string>
    body: JsonObject
    overrides: Overrides
    components: ResolvedComponent[]
  }): Record<string, JsonObject | null>
}

/** What a deployment's page shows of a service. */
export interface ServiceView {
  charts: {
    title: string
    /** `seconds`, `ratio`, `requests per second`. */
    unit: string
    /** Times in milliseconds since 1970; null where there is no value. */
    lines: { label: string; points: { at: number; value: number | null }[] }[]
  }[]
  alerts: { alert: string; state: string; severity: string; component: string; machine: string; summary: string }[]
}

/** What a folder under src/toolkit exports. */
export interface ToolkitService<Spec = unknown> {
  /** The key under `toolkit:`. */
  kind: string
  /** Path segment in the API (`load-balancers`) and command in the CLI (`lb`). */
  path: string
  command: string
  summary: string
  /** Checks one service's section. */
  schema: z.ZodType<Spec>
  /** Outputs beside `host port addresses machines`. */
  outputs: string[]
  /** Problems that need the other components (`to:` names one that does not exist). Paths relative to the section. */
  validate(
    spec: Spec,
    components: ResolvedComponent[],
  ): { path: string; message: string; found?: string; allowed?: string[] }[]
  /** Planned after the services that do not: `components` then holds theirs too. Default false. */
  observes?: boolean
  /** Pure. */
  plan(input: { name: string; spec: Spec; components: ResolvedComponent[] }): ToolkitPlan
  /** Keys of overrides that are about a machine, and end with it; absent: none are. Pure. */
  overridesOf?(member: ToolkitMember, spec: Spec, overrides: Overrides): string[]
  control: ToolkitControl<Spec>
  /** Makes of the recipe's parameters, when their references are known, what its templates need. The same on every node. */
  prepare?(input: PrepareInput): Promise<Prepared>
  routes: ToolkitRoute<Spec>[]
  /** For the deployment's page, from the running service. */
  view?(context: ReadContext<Spec>): Promise<ServiceView>
}

export interface PrepareInput {
  /** The name of an extra, whose parameters these are; absent: they are those of the service's own machines. */
  extra?: string
  parameters: Record<string, unknown>
  /** The service's own machines. */
  peers: MachineFact[]
  /** A number for a content's digest: the last one while it is the same, else a higher one, `least` or more. Kept under the key. */
  revision(key: string, digest: string, least: number): Promise<number>
}

export interface Prepared {
  parameters: Record<string, unknown>
  /** Texts that nothing may show. */
  secrets: string[]
}

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
}

/** Every service by its kind; the shipped ones are in registry.ts. */
export type ToolkitRegistry = Record<string, ToolkitService>
