import type { Store } from '../db/store.ts'
import { KitbagError } from '../model/errors.ts'
import type { UnitStage } from '../model/operation.ts'
import type { Plan } from '../model/plan.ts'

/** Stored plans never change: the last few are kept, because each of an operation's units asks for the same one. */
const kept = 64
const cache = new Map<string, Plan>()

/** The stored plan of a stage. Throws `internal` when there is none. */
export async function planOf(store: Pick<Store, 'operations'>, operationId: string, stage: UnitStage): Promise<Plan> {
  const key = `${operationId}/${stage}`
  const known = cache.get(key)
  if (known) return known
  const plan = await store.operations.plan(operationId, stage)
  if (!plan) throw new KitbagError('internal', `operation ${operationId} has no ${stage} plan`)
  cache.set(key, plan)
  const oldest = cache.keys().next().value
  if (cache.size > kept && oldest !== undefined) cache.delete(oldest)
  return plan
}

/** Nobody asks for the plans of an operation that is over. */
export function forgetPlans(operationId: string): void {
  cache.delete(`${operationId}/main`)
  cache.delete(`${operationId}/undo`)
}
