import type { Opening } from './firewall.ts'
import type { JsonObject } from './json.ts'

/** `install` needs no fact of another machine; `migrate` runs once per release on one machine; `configure` renders from facts. */
export type Phase = 'install' | 'migrate' | 'configure'

/** What the blueprint parser and the planner know of a recipe, without its resources. */
export interface RecipeSignature {
  /** `nodejs`, or `./recipes/x` for one of the user's own. */
  name: string
  /** sha256 over the folder's paths and contents. */
  digest: string
  /** `application`: takes `source` and `start` (a blueprint's `runtime:`); `service`: takes `settings` only (`recipe:`). */
  kind: 'application' | 'service'
  /** Holds data that a rebuild of its machine would lose. */
  stateful: boolean
  /** JSON Schema (an object) of `settings`. A property with `"x-kitbag-secret": true` is a generated secret unless given. */
  parameters: JsonObject
  /** Names beside `host port addresses machines`, which every component has. */
  outputs: string[]
  /** Phases in which it has resources. */
  phases: Phase[]
  /** Of the facts about other machines that may be in its files: those that are. Absent (an older release): `consumers`. */
  uses?: ('consumers' | 'peers')[]
  /** The port it listens on when the blueprint gives none, if it has a fixed one. */
  defaultPort?: number
  /** What it listens on and for whom; absent: its component's port, for those who refer to the component. */
  opens?: Opening[]
  /** Its port speaks TLS with a certificate of the deployment's own authority; clients that its outputs lead there verify it. */
  tls?: true
  /** Ports that it listens on for its own machine alone. */
  loopback?: number[]
}

/** Looks recipes up by the name a blueprint uses. */
export interface RecipeCatalog {
  get(name: string): RecipeSignature | undefined
  /** Every shipped name, for "nearest name". */
  names(): string[]
}

/** A machine as templates and references see it (`${web.machines}`). */
export interface MachineFact {
  name: string
  address: string
  /** All at which it is told, that one first; absent: there is no other one. */
  addresses?: string[]
  port?: number
}

/** A machine that uses a component. */
export interface ConsumerFact extends MachineFact {
  /** It comes from another cloud, or over a public network. */
  elsewhere: boolean
}

/** A certificate of the deployment's own authority for one machine, in PEM. */
export interface ServerCredentials {
  certificate: string
  key: string
}

/** What a recipe's expressions (`${...}`) and Handlebars templates see. Plain data; secret values are plain strings here. */
export interface RecipeContext {
  installation: string
  deployment: string
  component: string
  machine: { name: string; address: string; user: string; cpu: number; memory: number }
  /** `settings` with defaults and generated secrets filled in. */
  parameters: Record<string, unknown>
  port?: number
  env: Record<string, string>
  start?: string
  migrate?: string
  release: { number: number }
  /** Digest of the uploaded source archive (application recipes). */
  source?: { digest: string }
  /** Components that refer to this one. */
  consumers: { name: string; machines: ConsumerFact[] }[]
  /** All machines of this component, this one included. */
  peers: MachineFact[]
  /** The certificate of the deployment's own authority, in PEM; absent: nothing of the deployment needs it. */
  authority?: string
  /** Of a recipe with `tls`. */
  tls?: ServerCredentials
}

/** One resource's outcome, as the host program reports it. */
export interface ResourceEvent {
  /** 0-based place in the program. */
  index: number
  /** `file:/etc/haproxy/haproxy.cfg` */
  resource: string
  status: 'ok' | 'changed' | 'failed'
  /** Short words for what changed: `mode 0644 -> 0640`. */
  changes: string[]
  /** Check mode: unified diff of contents; `[secret]` where the content holds a secret. */
  diff?: string
  /** Failed: last lines of the command's output. */
  output?: string
}
