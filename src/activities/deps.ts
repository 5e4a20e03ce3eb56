import type { Store } from '../db/store.ts'
import type { Log } from '../lib/log.ts'
import { backoff } from '../lib/retry.ts'
import type { Reach } from '../model/reach.ts'
import type { Capabilities, Provider } from '../providers/contract.ts'
import type { Recipe } from '../recipes/recipe.ts'
import type { ToolkitRegistry } from '../toolkit/contract.ts'

/** How long effects wait, in milliseconds. */
export interface Timings {
  /** From the create call's answer until the machine answers SSH. */
  boot: number
  /** Between two looks at a machine that is still pending. */
  poll: number
  /** Until a service sends traffic to a machine again. */
  join: number
  /** First delay before a failed effect is tried again; doubles up to `retryMost`. */
  retry: number
  retryMost: number
  /** Between two looks of a watching service, at most; services themselves ask for less often. */
  watch: number
  /** Until what lasts of what watching services found is told again. */
  notice: number
  /** For the first certificates of a deploy, before it ends without them. */
  firstCertificates: number
  /** Until a certificate that could not be had is tried again; doubles. Let's Encrypt allows five failures an hour. */
  certificateRetry: number
}

export const defaultTimings: Timings = {
  boot: 300_000,
  poll: 1_000,
  join: 60_000,
  retry: 1_000,
  retryMost: 15_000,
  watch: Number.POSITIVE_INFINITY,
  notice: 60_000,
  firstCertificates: 90_000,
  certificateRetry: 120_000,
}

/** Milliseconds before a failed effect is tried again: the first pause, the second ... */
export function retryPauses(timings: Partial<Timings> = {}): (attempt: number) => number {
  const { retry, retryMost } = { ...defaultTimings, ...timings }
  return backoff(retry, retryMost)
}

/** Everything that the effects act through; composed in main/, with fakes in tests. */
export interface ActivityDeps {
  store: Store
  clouds: { provider(cloudId: string): Promise<Provider>; capabilities(cloudId: string): Promise<Capabilities> }
  reach: Reach
  toolkit: ToolkitRegistry
  /** Shipped recipes by name; others come from the release's blobs. */
  recipes: Map<string, Recipe>
  log: Log
  timings?: Partial<Timings>
  /** Called at named moments before and after each effect; fault tests kill the process there. */
  boundary?: (name: string) => void | Promise<void>
}
