import { sleep } from '../../lib/clock.ts'
import type { JsonObject } from '../../model/json.ts'
import type { ReleaseSpec } from '../../model/release.ts'
import type { Notice } from '../../toolkit/contract.ts'
import { type ActivityDeps, defaultTimings } from '../deps.ts'
import { controlOf } from './context.ts'
import type { Glances } from './glance.ts'
import type { WatchedService } from './services-to-watch.ts'

interface Telling {
  deps: ActivityDeps
  deploymentId: string
  release: ReleaseSpec
  services: WatchedService[]
  /** Service -> state, as its last look left it. */
  states: Map<string, JsonObject>
  glances: Glances
  /** Ends it. */
  signal: AbortSignal
}

/** Milliseconds between two comparisons of what is and what was told; they cost nothing. */
const pause = 1_000

/**
 * Tells the services of a release that take notices what its watching services find, for as long as it lasts, and that it is over. Never
 * rejects: who cannot be told is told later.
 */
export async function tellOn(work: Telling): Promise<void> {
  const { deps, deploymentId, release, services, states, signal } = work
  const { watch, notice: renewal, retryMost: retry } = { ...defaultTimings, ...deps.timings }
  const told = new Map<string, Notice>()
  let failing = false
  try {
    if (!release.blueprint.services.some(({ kind }) => deps.toolkit[kind]?.notices)) return
    for (let next = 0; ; await sleep(Math.min(pause, watch), signal)) {
      const now = noticesOf(services, states, told)
      const over = [...told].flatMap(([key, notice]) => (now.has(key) ? [] : [{ ...notice, lasts: false }]))
      if (now.size + over.length === 0) continue
      const isNews = !failing && (over.length > 0 || [...now.keys()].some((key) => !told.has(key)))
      if (!isNews && Date.now() < next) continue
      try {
        await tell(work, [...now.values(), ...over])
        told.clear()
        for (const [key, notice] of now) told.set(key, notice)
        next = Date.now() + renewal
        failing = false
      } catch (error) {
        signal.throwIfAborted()
        if (!failing) deps.log.warn('nobody could be told of what is wrong; it is tried again', { deploymentId, error })
        next = Date.now() + retry
        failing = true
      }
    }
  } catch (error) {
    if (!signal.aborted) deps.log.warn('what is wrong is not told any more', { deploymentId, error })
  }
}

/** By what tells one from another. */
function noticesOf(services: WatchedService[], states: Map<string, JsonObject>, told: ReadonlyMap<string, Notice>) {
  const notices = new Map<string, Notice>()
  for (const { service, watch } of services)
    for (const concern of watch.concerns?.(states.get(service.name) ?? {}, service.spec) ?? []) {
      const key = JSON.stringify([service.name, concern.name, concern.labels])
      const since = told.get(key)?.since ?? Date.now()
      notices.set(key, { ...concern, service: service.name, since, lasts: true })
    }
  return notices
}

async function tell({ deps, release, glances, signal }: Telling, notices: Notice[]): Promise<void> {
  const { machines = [] } = (await glances.now()) ?? {}
  await Promise.all(
    release.blueprint.services.map((service) =>
      deps.toolkit[service.kind]?.notices?.tell(controlOf(deps, service, machines, signal), notices),
    ),
  )
}
