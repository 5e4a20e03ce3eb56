import { KitbagError } from '../model/errors.ts'
import type { Plan } from '../model/plan.ts'

/** Throws `data-loss-refused`, naming every component whose data the plan would lose and that nobody said may be lost. */
export function refuseDataLoss({ refusals }: Pick<Plan, 'refusals'>): void {
  const [first] = refusals
  if (!first) return
  const problems = refusals.map(({ component, message }) => ({ path: `components.${component}`, message }))
  const flags = [...new Set(refusals.map(({ component }) => `--allow-data-loss ${component}`))].join(' ')
  throw new KitbagError(first.code, refusals.map(({ message }) => message).join('; '), {
    problems,
    fix: `Say so if that data may be lost: ${flags}`,
  })
}
