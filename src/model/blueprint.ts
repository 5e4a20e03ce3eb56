import type { Opening } from './firewall.ts'
import type { JsonObject } from './json.ts'
import type { MachineRequirements } from './machine.ts'
import type { Value } from './value.ts'

/** Where machines of a component go. `cloud` may be absent until the deployment's own cloud is filled in. */
export interface Placement {
  cloud?: string
  region?: string
  zones?: string[]
  /** Machines that have all of these, where machines have labels. */
  labels?: Record<string, string>
  /** Component or service whose machines it shares; it has none of its own then, and is where that is. */
  with?: string
}

/**
 * Where something goes that says so in part: what it leaves out is as usual. Region and zones are those of a cloud, and usual at that one
 * only. One that shares machines is where these are.
 */
export function placedBy({ cloud, ...place }: Placement, own: Placement = {}): Placement {
  if (own.with !== undefined) return { with: own.with }
  const isThere = own.cloud === undefined || own.cloud === cloud
  return { ...(cloud !== undefined && { cloud }), ...(isThere && place), ...own }
}

export interface HealthCheck {
  /** Path that must answer 2xx or 3xx; absent: the port must accept a connection. */
  http?: string
  /** Milliseconds between two checks. */
  interval: number
  /** Milliseconds that one check may take. */
  timeout: number
  /** Milliseconds after start within which it must become healthy. */
  grace: number
}

export interface UpdatePolicy {
  /** How many machines may be out of service at once during an update. */
  maxUnavailable: number
  /** Milliseconds to wait for open connections when a machine is drained. */
  drain: number
}

/** A further recipe on a component's machines, run in the same two programs as the component's own. */
export interface ComponentExtra {
  /** Unique among the component's extras, and what its resources are called by: `node-exporter`. */
  name: string
  /** A shipped recipe. It sees the component's machine, and no consumers and no peers. */
  recipe: string
  settings: Record<string, Value>
  /** The toolkit service that asks for it, by its kind. */
  kind: string
}

/** A component with parameters filled in and defaults made explicit; toolkit planners make them too, for their machines. */
export interface ResolvedComponent {
  name: string
  /** Recipe name: a shipped one or `./recipes/x`. */
  recipe: string
  /** Set for application recipes: folder beside the blueprint, as written. */
  source?: string
  start?: string
  migrate?: string
  port?: number
  /** Of `url`; absent: http of applications and services, tcp of others. */
  scheme?: 'https' | 'tcp'
  replicas: number
  machine: MachineRequirements
  placement: Placement
  env: Record<string, Value>
  settings: Record<string, Value>
  health?: HealthCheck
  /** Where it tells figures of itself, in Prometheus' format. */
  metrics?: { path: string; port: number }
  update: UpdatePolicy
  /** Absent for the application's own components; the toolkit service's id (`loadBalancer`) for machines of a service. */
  service?: string
  /** What toolkit services put onto its machines beside its own recipe. */
  extras?: ComponentExtra[]
  /** Machines of a service that only looks at others: it refers to them, and is none of their users. */
  observer?: true
  /** Tells the world where others are (DNS): of what it refers to it needs the addresses, and sends nothing there but health checks. */
  names?: true
  /** The world is told where its machines are: their public addresses are static, where the cloud has such and the blueprint says nothing else. */
  entrance?: true
  /** Components that it speaks to by TLS, whatever their own port speaks: their machines have what it takes. */
  encrypts?: string[]
  /** Who may come to its port beside the machines of components that refer to it: anyone, or these networks (CIDR). */
  public?: true | string[]
  /** What it listens on and for whom; absent: as its recipe says. */
  opens?: Opening[]
}

/** Where the blueprint says what a component is: `components.web`, or `toolkit.loadBalancer` for machines of a service. */
export function placeOf({ name, service }: Pick<ResolvedComponent, 'name' | 'service'>): string {
  return service === undefined ? `components.${name}` : `toolkit.${name}`
}

/** One toolkit service instance as the blueprint asks for it; `spec` has been checked by the service's own schema. */
export interface ResolvedService {
  /** `loadBalancer`; with several, the name given to each. */
  name: string
  /** The key under `toolkit:`. */
  kind: string
  spec: JsonObject
}

export interface ResolvedBlueprint {
  apiVersion: 'kitbag/v1'
  name: string
  parameters: JsonObject
  /** Names of secrets that must be given by the user (`${secrets.X}`), sorted. */
  secrets: string[]
  components: ResolvedComponent[]
  services: ResolvedService[]
  placement: Placement
  /** Machines let in only what the blueprint declares. Absent: the release is of an older Kitbag, and they let in everything. */
  firewall?: boolean
}
