import { ActivityCancellationType, type ActivityOptions, proxyActivities } from '@temporalio/workflow'
import type { Activities } from '../activities/create-activities.ts'
import type { UnitKind } from '../model/plan.ts'

/**
 * Temporal repeats an activity only when its worker died or lost the database: failures of the effect itself are retried inside the
 * activity, with attempts of their own, so that crashes never use those up. A dead worker is noticed after `heartbeatTimeout`.
 */
const base = {
  heartbeatTimeout: '5 seconds',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '15 seconds' },
} as const satisfies ActivityOptions

/** Longest one try may take (a command that hangs), in minutes. */
const minutes: Record<UnitKind, number> = {
  create: 30,
  install: 60,
  migrate: 120,
  configure: 60,
  ready: 60,
  leave: 30,
  join: 30,
  destroy: 30,
  adopt: 30,
  forget: 30,
  check: 30,
}

type RunUnit = Pick<Activities, 'runUnit'>

const proxies = new Map<UnitKind, RunUnit>()
for (const [kind, limit] of Object.entries(minutes) as [UnitKind, number][]) {
  const limits = { startToCloseTimeout: `${limit} minutes`, scheduleToCloseTimeout: `${limit * 3} minutes` } as const
  proxies.set(kind, proxyActivities<RunUnit>({ ...base, ...limits }))
}

/** The activity that runs units of this kind, with the kind's time limits. */
export function unitActivity(kind: UnitKind): Activities['runUnit'] {
  const proxy = proxies.get(kind)
  if (!proxy) throw new Error(`no unit kind ${kind}`)
  return proxy.runUnit
}

/** Planning, sweeping and book-keeping: repeated for as long as it takes, because without them an operation never ends. */
export const { planOperation, planUndo, sweepDeployment, finishOperation, loseUnit } = proxyActivities<
  Omit<Activities, 'runUnit'>
>({ ...base, startToCloseTimeout: '15 minutes' })
