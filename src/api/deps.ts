import type { OpenAPIHono } from '@hono/zod-openapi'
import type { CloudRecord, Store } from '../db/store.ts'
import type { Log } from '../lib/log.ts'
import type { ErrorCode } from '../model/errors.ts'
import type { ImportedMachine } from '../model/imported-machine.ts'
import type { JsonObject } from '../model/json.ts'
import type { Address } from '../model/machine.ts'
import type { Reach } from '../model/reach.ts'
import type { CostOf } from '../planner/costs.ts'
import type { ResolveSpecs } from '../planner/plan-input.ts'
import type { Recipe } from '../recipes/recipe.ts'
import type { ToolkitRegistry } from '../toolkit/contract.ts'

/** One finding of a cloud's test. */
export interface CloudFinding {
  name: string
  ok: boolean
  detail: string
}

/** What a sweep found beyond what the database knows; with `remove` it is gone. */
export interface SweepReport {
  machines: { id: string; name: string; cloud: string; deployment?: string; removed: boolean }[]
  addresses: { address: string; name: string; cloud: string; deployment: string; removed: boolean }[]
  residue: string[]
}

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
  test(cloudId: string): Promise<CloudFinding[]>
  sweep(options: { remove: boolean; tenantId: string }): Promise<SweepReport>
}

/** What a look at a machine that somebody else made has found. */
export interface ExaminedMachine {
  name: string
  found: { id: string; name: string; status: string; addresses: Address[] }
  user: string
  hostKey?: { fingerprint: string; source: 'given' | 'cloud' | 'console' | 'shown' }
  findings: { name: string; ok: boolean; detail: string; fix?: string; code?: ErrorCode }[]
  /** Present when nothing speaks against it. */
  machine?: ImportedMachine
}

/** What the API needs to take machines in. Composed in main/. */
export interface Imports {
  /** Looks, and changes nothing. Throws where there is no one machine to look at. */
  examine(
    asked: {
      deployment: string
      component: string
      id?: string | undefined
      tag?: { name: string; value: string } | undefined
      user?: string | undefined
      port: number
      fingerprint?: string | undefined
    },
    cloud: CloudRecord,
  ): Promise<ExaminedMachine>
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
