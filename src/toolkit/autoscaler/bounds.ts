import type { Situation } from './decide.ts'
import { holds } from './schedule.ts'
import type { Policy } from './schema.ts'

export interface Bounds {
  min: number
  max: number
  /** Machines that the component may grow to at this moment, max aside. */
  ceiling: number
  /** What the ceiling comes from; empty: there is none. */
  why: string
}

/** Bounds that hold now: the policy's own, or those of a schedule, what shares the machines, and how much the deployment may grow. */
export function bounded(policy: Policy, { now, others, carried = 0, costs }: Situation): Bounds {
  const { min, max } = policy.schedules.filter((schedule) => holds(schedule, now)).at(-1) ?? policy
  const ceilings: [number, string][] = []
  if (policy.maxMachines !== undefined)
    ceilings.push([policy.maxMachines - others, `the deployment may have ${policy.maxMachines} machines (maxMachines)`])
  const { maxMonthlyCost } = policy
  if (maxMonthlyCost !== undefined) {
    if ('unknown' in costs)
      ceilings.push([0, `maxMonthlyCost is given, and the cost of a machine is not known: ${costs.unknown}`])
    else if (costs.each > 0) {
      // A hair more than a whole number of machines is that number.
      const most = Math.max(0, Math.floor((maxMonthlyCost - costs.others) / costs.each + 1e-9))
      ceilings.push([most, `the deployment may cost ${maxMonthlyCost} a month (maxMonthlyCost)`])
    } else if (costs.others > maxMonthlyCost)
      ceilings.push([0, `the deployment costs more than ${maxMonthlyCost} a month (maxMonthlyCost)`])
  }
  const [ceiling, why] = ceilings.sort(([a], [b]) => a - b)[0] ?? [Number.POSITIVE_INFINITY, '']
  return { min: Math.max(min ?? policy.min, carried), max: Math.max(max ?? policy.max, carried), ceiling, why }
}
