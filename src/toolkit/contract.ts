import type { z } from 'zod'
import type { ComponentExtra, ResolvedComponent, ResolvedService } from '../model/blueprint.ts'
import type { CertificateStore, Challenge } from '../model/certificate.ts'
import type { KitbagError } from '../model/errors.ts'
import type { JsonObject } from '../model/json.ts'
import type { MachineAccess, MachineRecord } from '../model/machine.ts'
import type { OperationKind, OperationRecord, OperationRequest } from '../model/operation.ts'
import type { Reach } from '../model/reach.ts'
import type { MachineFact } from '../model/recipe.ts'
import type { WatchDecision, WatchDecisionRecord } from '../model/watch.ts'

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
  /** Of a service that makes values: where it keeps them. */
  made?: MadeRows
}

/** What a read gets beside: the recipe's parameters with their references resolved, secrets blanked out. */
export interface ReadContext<Spec> extends ControlContext<Spec> {
  parameters(): Promise<Record<string, unknown>>
  /** Of a service that watches. */
  watch?: WatchReader
}

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
  /** What a machine costs in an hour, by the prices of its cloud; undefined: they are not known. */
  hourlyPrice(row: MachineRecord): Promise<number | undefined>
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
}

export interface MadeRows {
  deployment: ServedDeployment
  certificates: CertificateStore
}

export interface ServedDeployment {
  id: string
  tenantId: string
  name: string
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
  /** Field of the body that a last argument fills: the digest of an uploaded archive that holds the file that it names. */
  archive?: string
  /** Field of the answer that is printed as it is. */
  text?: string
  /** Field of the answer's rows that is a list: a line for each of its entries. */
  each?: string
  /** Fields of the body that options of their names fill: the text of the file that each names. */
  files?: string[]
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
  /** Of a change: looks at what its body names in uploaded archives, before anything is stored. Throws what refuses it. */
  check?(body: JsonObject, archives: Archives): Promise<void>
  change?(input: {
    spec: Spec
    params: Record<string, string>
    body: JsonObject
    overrides: Overrides
    components: ResolvedComponent[]
  }): Record<string, JsonObject | null>
  /** A change of the service's own rows: checks and does it; the API submits one `push` operation then, and answers 202. */
  act?(context: ReadContext<Spec>, params: Record<string, string>, body: JsonObject): Promise<void>
}

/** A service of the same blueprint, as another one's `validate` sees it. */
export interface NeighbourService extends ResolvedService {
  /** Component -> names of figures that it will know of it. */
  metrics: Record<string, string[]>
  /** What others may refer to, of a service that makes values: `web.pem`. */
  values?: string[]
  /** Of one that can be asked in PromQL. */
  queries?: Pick<ToolkitQueries, 'fault'>
}

/** One figure of a component, as a running service knows it. */
export interface Sample {
  component: string
  metric: string
  value: number
  /** Which node of the service says so. */
  source: string
}

/** Figures that a running service knows of the components that it serves. */
export interface ToolkitMetrics<Spec = unknown> {
  /** Component -> names. Pure. */
  offers(spec: Spec): Record<string, string[]>
  /** As they are now, from every node that answers. Rejects when none does. */
  read(context: ControlContext<Spec>): Promise<Sample[]>
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

/** What a service has measured over time, asked in PromQL. */
export interface ToolkitQueries<Spec = unknown> {
  /** What is wrong with an expression; undefined: nothing. Pure. */
  fault(expression: string): string | undefined
  /** The expression of a component's figure by its stable word (`latency-p95`); undefined: there is no such word. Pure. */
  expressionOf(word: string, component: string): string | undefined
  /** Its value now; undefined: no series answers. Rejects when the service does not answer. */
  latest(context: ControlContext<Spec>, expression: string): Promise<{ at: number; value: number } | undefined>
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
  /** Names an entry of a list of such services that has no `name`; absent: each needs one. Pure. */
  nameOf?(section: Record<string, unknown>): string | undefined
  /** Problems that need the rest of the blueprint (`to:` names a component that does not exist). Paths relative to the section. */
  validate(
    spec: Spec,
    components: ResolvedComponent[],
    services: NeighbourService[],
  ): { path: string; message: string; found?: string; allowed?: string[] }[]
  /** Planned after the services that do not: `components` then holds theirs too. Default false. */
  observes?: boolean
  /** Pure. */
  plan(input: { name: string; spec: Spec; components: ResolvedComponent[] }): ToolkitPlan
  /** Keys of overrides that are about a machine, and end with it; absent: none are. Pure. */
  overridesOf?(member: ToolkitMember, spec: Spec, overrides: Overrides): string[]
  /**
   * Fields of overrides, by key, that give some machines of a component a share (percent) of its traffic; absent: it has no such thing.
   * Pure.
   */
  share?(input: { spec: Spec; component: string; machines: string[]; chosen: string[]; share: number }): Overrides
  control: ToolkitControl<Spec>
  /** Makes of the recipe's parameters, when their references are known, what its templates need. The same on every node. */
  prepare?(input: PrepareInput): Promise<Prepared>
  routes: ToolkitRoute<Spec>[]
  watch?: ToolkitWatch<Spec>
  metrics?: ToolkitMetrics<Spec>
  queries?: ToolkitQueries<Spec>
  values?: ToolkitValues<Spec>
  challenges?: ChallengeSolver<Spec>
  /** What its health is beside that of its machines; absent: nothing. */
  health?(context: ReadContext<Spec>): Promise<HealthFinding[]>
  /** For the deployment's page, from the running service. */
  view?(context: ReadContext<Spec>): Promise<ServiceView>
}

/** One part of a service and how it is. */
export interface HealthFinding {
  /** A machine, a backend, a certificate ... */
  subject: string
  status: HealthStatus
  /** One sentence: what was seen. */
  message: string
}

/** `degraded`: it serves, and something is not as it should be; `down`: it does not do its work. */
export type HealthStatus = 'healthy' | 'degraded' | 'down'

/** What a service makes itself and keeps in rows, for others to refer to (`${certificates.web.pem}`). It has no machines. */
export interface ToolkitValues<Spec = unknown> {
  /** What others may refer to: `web.pem`. From a section as it is written, which may be wrong. */
  outputs(section: unknown): string[]
  /** A word for each output that is there, another one when it changes. */
  versions(context: ValuesContext<Spec>): Promise<Record<string, string>>
  read(context: ValuesContext<Spec>): Promise<Record<string, ServiceValue>>
  /**
   * Makes every output that is not there yet; before anything is configured. Idempotent, and done at once.
   * `retry`: what stands in because it could not be had is due now, whenever else it would be tried again.
   */
  ensure(context: ValuesContext<Spec> & { retry?: true }): Promise<void>
  /** When there is something to do next; null: never by itself. */
  due(context: ValuesContext<Spec>): Promise<Date | null>
  /** Does what is due about them (renewals), which may take minutes. Failures are stored; the next try has its time. */
  refresh(context: RefreshContext<Spec>): Promise<Refreshed>
}

export interface ServiceValue {
  value: string
  secret: boolean
}

export interface ValuesContext<Spec> extends MadeRows {
  service: string
  spec: Spec
  now: Date
}

export interface RefreshContext<Spec> extends ValuesContext<Spec> {
  /** Who does it; a repeated try of the same is the same. */
  owner: string
  /** Value of a reference to a secret. */
  secret(reference: string): Promise<string>
  /** Shows the challenges of one certificate, and no other ones of it; returns when they are to be seen. Throws where nothing can. */
  show(certificateId: string, challenges: Challenge[]): Promise<void>
  /** Tells people how it goes. */
  tell(message: string): Promise<void>
  /** Milliseconds until the first try after a failure; then doubling. */
  retry: number
  signal: AbortSignal
}

export interface Refreshed {
  /** How many are new. */
  changed: number
  failures: KitbagError[]
}

/** How a service shows a certificate authority that the deployment has a name, by records (dns-01: RFC 8555, 8.4). */
export interface ChallengeSolver<Spec = unknown> {
  /** Whether it can show a challenge of the host. */
  covers(input: { spec: Spec; overrides: Overrides }, host: string): boolean
  /** Changes of its overrides after which it shows these challenges, and none of before. Brought into force by a push. */
  overrides(input: { spec: Spec; overrides: Overrides }, challenges: Challenge[]): Record<string, JsonObject | null>
}

/** An uploaded archive's files: path -> content. Throws `not-found`, `invalid-request` for one that is none, `too-large`. */
export type Archives = (digest: string) => Promise<Record<string, Buffer>>

export interface PrepareInput {
  /** The name of an extra, whose parameters these are; absent: they are those of the service's own machines. */
  extra?: string
  parameters: Record<string, unknown>
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

/** Every service by its kind; the shipped ones are in registry.ts. */
export type ToolkitRegistry = Record<string, ToolkitService>
