import type { ResolvedService } from '../../model/blueprint.ts'
import type { JsonObject } from '../../model/json.ts'
import { type MachineRecord, tryMachineAccess } from '../../model/machine.ts'
import type { ReleaseSpec } from '../../model/release.ts'
import { expand } from '../../planner/expand.ts'
import type { ControlContext, Sample, WatchContext } from '../../toolkit/contract.ts'
import { costsOf } from '../costs.ts'
import type { ActivityDeps } from '../deps.ts'
import type { Glance } from './glance.ts'
import { atCloud, probe } from './probe.ts'

export interface Looking {
  deps: ActivityDeps
  release: ReleaseSpec
  service: ResolvedService
  glance: Glance
  state: JsonObject
  memo: Record<string, unknown>
  signal: AbortSignal
  submitted: WatchContext<unknown>['submitted']
}

/** What one look gets. */
export function watchContext({ deps, release, service, glance, state, memo, signal, submitted }: Looking) {
  const { id, tenantId, name, machines: rows, overrides, operation } = glance
  const { components } = expand(release, deps.toolkit, overrides)
  const componentOf = (row: MachineRecord) => components.find((component) => component.name === row.component)
  return {
    ...controlOf(deps, service, rows, signal),
    signal,
    deployment: { id, name },
    made: { deployment: { id, tenantId, name }, certificates: deps.store.certificates },
    components,
    rows,
    overrides: overrides[service.name] ?? {},
    operation,
    now: Date.now(),
    state,
    memo,
    submitted,
    probe: (row) => probe(deps, row, componentOf(row), signal),
    atCloud: (row) => atCloud(deps, row),
    access: tryMachineAccess,
    ...queriesOf(deps, release, rows, signal),
    metrics: () => readMetrics(deps, release, rows, signal),
    costs: async () => {
      const costOf = await costsOf(
        deps.store,
        rows.map(({ cloudId }) => cloudId),
      )
      return ({ cloudId, spec }) => costOf(cloudId, spec)
    },
  } satisfies WatchContext<unknown>
}

/** What reaches a service's own machines. */
export function controlOf(
  { reach }: ActivityDeps,
  { name, spec }: ResolvedService,
  rows: MachineRecord[],
  signal: AbortSignal,
): ControlContext<unknown> {
  const own = rows.filter((row) => row.component === name && row.releaseNumber !== null && row.status !== 'lost')
  return {
    service: name,
    spec,
    reach,
    machines: own.flatMap((row) => tryMachineAccess(row) ?? []),
    unsettled: new Set(rows.filter(({ status }) => status !== 'ready').map((row) => row.name)),
    signal,
  }
}

function queriesOf(deps: ActivityDeps, release: ReleaseSpec, rows: MachineRecord[], signal: AbortSignal) {
  for (const service of release.blueprint.services) {
    const queries = deps.toolkit[service.kind]?.queries
    if (!queries) continue
    const latest = (expression: string) => queries.latest(controlOf(deps, service, rows, signal), expression)
    return { queries: { expressionOf: queries.expressionOf, latest } }
  }
  return {}
}

/** Figures of all services of the release that know any. */
async function readMetrics(deps: ActivityDeps, release: ReleaseSpec, rows: MachineRecord[], signal: AbortSignal) {
  const samples: Sample[] = []
  const silent: string[] = []
  await Promise.all(
    release.blueprint.services.map(async (service) => {
      const metrics = deps.toolkit[service.kind]?.metrics
      if (!metrics) return
      try {
        samples.push(...(await metrics.read(controlOf(deps, service, rows, signal))))
      } catch (error) {
        silent.push(`${service.name}: ${(error as Error).message}`)
      }
    }),
  )
  return { samples, silent }
}
