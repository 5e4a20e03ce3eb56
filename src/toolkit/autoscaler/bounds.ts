import type { Situation } from './decide.ts'
import { holds } from './schedule.ts'
import type { Policy } from './schema.ts'

/** Hours of a month, for costs. */
export const hoursPerMonth = 730

export interface Bounds {
  min: number
  max: number
  /** Machines that the component may grow to at this moment, max aside. */
  ceiling: number
  /** What the ceiling comes from; empty: there is none. */
  why: string
}

/** Bounds that hold now: the policy's own, or those of a schedule, what shares the machines, and how much the deployment may grow. */
export function bounded(policy: Policy, { now, others, carried = 0, prices }: Situation): Bounds {
  const { min, max } = policy.schedules.filter((schedule) => holds(schedule, now)).at(-1) ?? policy
  const ceilings: [number, string][] = []
  if (policy.maxMachines !== undefined)
    ceilings.push([policy.maxMachines - others, `the deployment may have ${policy.maxMachines} machines (maxMachines)`])
  const { maxMonthlyCost } = policy
  if (maxMonthlyCost !== undefined) {
    if (prices === null) ceilings.push([0, 'maxMonthlyCost is given, and the price of a machine is not known'])
    else if (prices.each > 0) {
      const left = maxMonthlyCost / hoursPerMonth - prices.others
      // A hair more than a whole number of machines is that number.
      const most = Math.max(0, Math.floor(left / prices.each + 1e-9))
      ceilings.push([most, `the deployment may cost ${maxMonthlyCost} a month (maxMonthlyCost)`])
    } else if (prices.others * hoursPerMonth > maxMonthlyCost)
      ceilings.push([0, `the deployment costs more than ${maxMonthlyCost} a month (maxMonthlyCost)`])
  }
  const [ceiling, why] = ceilings.sort(([a], [b]) => a - b)[0] ?? [Number.POSITIVE_INFINITY, '']
  return { min: Math.max(min ?? policy.min, carried), max: Math.max(max ?? policy.max, carried), ceiling, why }
}
