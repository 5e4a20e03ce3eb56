import type { NewOperation } from '../../db/store.ts'
import { sleep } from '../../lib/clock.ts'
import type { JsonObject } from '../../model/json.ts'
import { expand } from '../../planner/expand.ts'
import type { WatchContext, WatchOutcome } from '../../toolkit/contract.ts'
import { type ActivityDeps, defaultTimings } from '../deps.ts'
import { tryMachineAccess } from '../machine-access.ts'
import { releaseOf } from '../release-of.ts'
import type { Glance, Glances } from './glance.ts'
import { atCloud, probe } from './probe.ts'
import type { WatchedService } from './services-to-watch.ts'

export interface LookWork {
  deps: ActivityDeps
  deploymentId: string
  /** This watcher's number. */
  epoch: number
  release: number
  service: WatchedService
  /** Service -> state; this watcher alone writes it. */
  states: Map<string, JsonObject>
  glances: Glances
  signal: AbortSignal
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
  for (;;) {
    if (Date.now() >= until) return 'again'
    const glance = await work.glances.now()
    if (glance?.currentRelease !== work.release) return 'changed'
    const outcome = await look(work, glance)
    if (outcome && !(await record(work, glance, outcome))) return 'superseded'
    const pause = Math.max(shortest, outcome?.again ?? service.interval)
    await sleep(Math.min(pause, service.interval, { ...defaultTimings, ...deps.timings }.watch), signal)
  }
}

async function look(work: LookWork, glance: Glance): Promise<WatchOutcome | undefined> {
  const { deps, service, signal } = work
  const limit = AbortSignal.timeout(service.interval + patience)
  const over = AbortSignal.any([signal, limit])
  try {
    return (await service.watch.look(await contextOf(work, glance, over))) ?? undefined
  } catch (error) {
    signal.throwIfAborted()
    deps.log.warn(`${service.service.name} could not look at its deployment`, { deployment: glance.name, error })
    return undefined
  }
}

async function contextOf(
  { deps, deploymentId, release, service: { service }, states }: LookWork,
  glance: Glance,
  signal: AbortSignal,
): Promise<WatchContext<unknown>> {
  const { spec } = await releaseOf(deps.store, deploymentId, release)
  const { name, tenantId, machines: rows, overrides, operation } = glance
  const { components } = expand(spec, deps.toolkit, overrides)
  const own = rows.filter(
    (row) => row.component === service.name && row.releaseNumber !== null && row.status !== 'lost',
  )
  return {
    service: service.name,
    spec: service.spec,
    reach: deps.reach,
    machines: own.flatMap((row) => tryMachineAccess(row) ?? []),
    unsettled: new Set(rows.filter(({ status }) => status !== 'ready').map((row) => row.name)),
    deployment: { id: deploymentId, name },
    components,
    rows,
    overrides: overrides[service.name] ?? {},
    operation,
    now: Date.now(),
    state: states.get(service.name) ?? {},
    signal,
    probe: (row) =>
      probe(
        deps,
        row,
        components.find(({ name: component }) => component === row.component),
        signal,
      ),
    atCloud: (row) => atCloud(deps, row),
    submitted: async (key) =>
      (await deps.store.operations.byIdempotencyKey(tenantId, keyOf(deploymentId, service.name, key)))?.operation,
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
