import type { OpenAPIHono } from '@hono/zod-openapi'
import type { CloudRecord, Store } from '../db/store.ts'
import type { Log } from '../lib/log.ts'
import type { Finding } from '../model/finding.ts'
import type { ExaminedMachine, ImportAsked } from '../model/imported-machine.ts'
import type { JsonObject } from '../model/json.ts'
import type { ImportPreview, Plan } from '../model/plan.ts'
import type { Reach } from '../model/reach.ts'
import type { SweepReport } from '../model/sweep.ts'
import type { CostOf } from '../planner/costs.ts'
import type { PlanInput, ResolveSpecs } from '../planner/plan-input.ts'
import type { Recipe } from '../recipes/recipe.ts'
import type { ToolkitRegistry } from '../toolkit/contract.ts'

/** What the API needs of the connected clouds. Composed in main/; drivers stay out of the API. */
export interface Clouds {
  /** Checks a new cloud's settings and credentials; gives them back with defaults. Throws `invalid-request`, naming the providers there are. */
  validate(
    kind: string,
    settings: JsonObject,
    credentials: JsonObject,
  ): Promise<{ settings: JsonObject; credentials: JsonObject }>
  /** Throws `conflict` when machines of the cloud keep it from having these settings. */
  refuseChange(cloudId: string, to: { settings: JsonObject }): Promise<void>
  /** To be called when its record has changed. */
  changed(cloudId: string): void
  test(cloudId: string): Promise<Finding[]>
  sweep(options: { remove: boolean; tenantId: string }): Promise<SweepReport>
}

/** What the API needs to take machines in. Composed in main/. */
export interface Imports {
  /** Looks, and changes nothing. Throws where there is no one machine to look at. */
  examine(asked: ImportAsked, cloud: CloudRecord): Promise<ExaminedMachine>
}

interface StoredPayload {
  metadata?: Record<string, Uint8Array> | null
  data?: Uint8Array | null
}

/** Seals and opens what Temporal stores. */
export interface PayloadCodec {
  encode(payloads: StoredPayload[]): Promise<StoredPayload[]>
  /** Rejects for what it did not seal. */
  decode(payloads: StoredPayload[]): Promise<StoredPayload[]>
}

/** Everything that the API acts through. */
export interface ApiDeps {
  store: Store
  toolkit: ToolkitRegistry
  /** Shipped recipes by name. */
  recipes: Map<string, Recipe>
  reach: Reach
  clouds: Clouds
  resolveSpecs: ResolveSpecs
  imports: Imports
  /** Looks at the imported machines that a plan sets up, and changes nothing. */
  previews(input: PlanInput, plan: Plan, tenantId: string): Promise<ImportPreview[]>
  /** Prices of clouds, by id; asks none of them. */
  costs: (cloudIds: string[]) => Promise<CostOf>
  /** For people who look into Temporal, and the origin from which browsers may ask; absent: nobody gets to see it. */
  codec?: PayloadCodec & { origin?: string }
  version: string
  log: Log
}

export interface ApiEnv {
  Variables: { tenantId: string }
}

export type Api = OpenAPIHono<ApiEnv>
