import type { z } from 'zod'
import type { ComponentExtra, ResolvedComponent, ResolvedService } from '../model/blueprint.ts'
import type { Overrides, Prepared, PrepareInput, ToolkitControl, ToolkitMember } from './contract/control.ts'
import type { HealthFinding, ServiceView, ToolkitMetrics, ToolkitQueries } from './contract/figures.ts'
import type { ToolkitNotices } from './contract/notices.ts'
import type { ReadContext, ToolkitRoute } from './contract/routes.ts'
import type { ChallengeSolver, ToolkitValues } from './contract/values.ts'
import type { ToolkitWatch } from './contract/watch.ts'

export type * from './contract/control.ts'
export type * from './contract/figures.ts'
export { noTraffic } from './contract/no-traffic.ts'
export type * from './contract/notices.ts'
export type * from './contract/routes.ts'
export type * from './contract/values.ts'
export type * from './contract/watch.ts'

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

/** A service of the same blueprint, as another one's `validate` sees it. */
export interface NeighbourService extends ResolvedService {
  /** Component -> names of figures that it will know of it. */
  metrics: Record<string, string[]>
  /** What others may refer to, of a service that makes values: `web.pem`. */
  values?: string[]
  /** Of one that can be asked in PromQL. */
  queries?: Pick<ToolkitQueries, 'fault'>
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
  notices?: ToolkitNotices<Spec>
  values?: ToolkitValues<Spec>
  challenges?: ChallengeSolver<Spec>
  /** What its health is beside that of its machines; absent: nothing. */
  health?(context: ReadContext<Spec>): Promise<HealthFinding[]>
  /** For the deployment's page, from the running service. */
  view?(context: ReadContext<Spec>): Promise<ServiceView>
}

/** Every service by its kind; the shipped ones are in registry.ts. */
export type ToolkitRegistry = Record<string, ToolkitService>
