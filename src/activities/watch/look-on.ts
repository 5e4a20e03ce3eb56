import type { NewOperation } from '../../db/store.ts'
import { sleep } from '../../lib/clock.ts'
import type { JsonObject } from '../../model/json.ts'
import type { ReleaseRecord } from '../../model/release.ts'
import type { WatchOutcome } from '../../toolkit/contract.ts'
import { type ActivityDeps, defaultTimings } from '../deps.ts'
import { watchContext } from './context.ts'
import type { Glance, Glances } from './glance.ts'
import type { WatchedService } from './services-to-watch.ts'

export interface LookWork {
  deps: ActivityDeps
  deploymentId: string
  /** This watcher's number. */
  epoch: number
  /** In force for as long as this goes on; kept, since every look needs it. */
  release: ReleaseRecord
  service: WatchedService
  /** Service -> state; this watcher alone writes it. */
  states: Map<string, JsonObject>
  glances: Glances
  /** This service's own, see `WatchContext`. */
  memo: Record<string, unknown>
  signal: AbortSignal
  /** Of the interval, before the second look. */
  firstShare: number
  /** Milliseconds since 1970. */
  until: number
}

/** Milliseconds that one look may take, beyond its interval. */
const patience = 60_000

/** Milliseconds between two looks, at least. */
const shortest = 250

/** `changed`: another release is in force, or none; `superseded`: somebody else watches now; `again`: its time is over. */
export type LookEnd = 'changed' | 'superseded' | 'again'

/** Lets one service look, at its interval, for as long as its release is in force. */
export async function lookOn(work: LookWork): Promise<LookEnd> {
  const { deps, service, signal, until } = work
  const { watch: most } = { ...defaultTimings, ...deps.timings }
  for (let share = work.firstShare; ; share = 1) {
    if (Date.now() >= until) return 'again'
    const glance = await work.glances.now()
    if (glance?.currentRelease !== work.release.number) return 'changed'
    const outcome = await look(work, glance)
    if (outcome && !(await record(work, glance, outcome))) return 'superseded'
    const pause = outcome?.again ?? service.interval * share
    await sleep(Math.min(Math.max(shortest, pause), service.interval, most), signal)
  }
}

async function look(work: LookWork, glance: Glance): Promise<WatchOutcome | undefined> {
  const { deps, deploymentId, release, service, states, signal } = work
  const { name } = service.service
  const limit = AbortSignal.timeout(service.interval + patience)
  try {
    const context = watchContext({
      deps,
      release: release.spec,
      service: service.service,
      glance,
      state: states.get(name) ?? {},
      memo: work.memo,
      signal: AbortSignal.any([signal, limit]),
      submitted: async (key) =>
        (await deps.store.operations.byIdempotencyKey(glance.tenantId, keyOf(deploymentId, name, key)))?.operation,
    })
    return (await service.watch.look(context)) ?? undefined
  } catch (error) {
    signal.throwIfAborted()
    deps.log.warn(`${name} could not look at its deployment`, { deployment: glance.name, error })
    return undefined
  }
}

/** Users' own keys come in a header, which holds no line break. */
function keyOf(deploymentId: string, service: string, key: string): string {
  return ['watch', deploymentId, service, key].join('\n')
}

async function record(
  { deps, deploymentId, epoch, service: { service }, states, glances }: LookWork,
  { tenantId, name: deployment }: Glance,
  { state, decisions = [], operation }: WatchOutcome,
): Promise<boolean> {
  if (!state && decisions.length === 0 && !operation) return true
  const submitted: NewOperation | undefined = operation && {
    tenantId,
    deploymentId,
    deployment,
    kind: operation.kind,
    request: operation.request,
    idempotencyKey: keyOf(deploymentId, service.name, operation.key),
  }
  const written = await deps.store.watches.record(deploymentId, epoch, {
    service: service.name,
    ...(state && { state }),
    decisions,
    ...(submitted && { operation: submitted }),
  })
  if (written && state) states.set(service.name, state)
  if (operation) glances.forget()
  for (const { level, message } of decisions)
    if (level === 'alert') deps.log.warn(`${service.name}: ${message}`, { deployment })
  return written
}
