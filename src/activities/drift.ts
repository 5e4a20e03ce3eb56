import type { Store } from '../db/store.ts'
import type { OperationResult } from '../model/operation.ts'
import type { ResourceEvent } from '../model/recipe.ts'

type Drift = NonNullable<OperationResult['drift']>

/** What a check's units reported as different, from the operation's own story; a repeated unit counts once. */
export async function driftOf(store: Pick<Store, 'operations'>, operationId: string): Promise<Drift> {
  const found = new Map<string, Drift[number]>()
  for (let after = 0; ; ) {
    const page = await store.operations.events(operationId, after, 1_000)
    for (const { seq, type, data } of page) {
      after = seq
      if (type !== 'resource' || data.status !== 'changed') continue
      const { machine, resource, changes, diff } = data as unknown as ResourceEvent & { machine: string }
      found.set(`${machine}/${resource}`, { machine, resource, changes, ...(diff !== undefined && { diff }) })
    }
    if (page.length === 0) break
  }
  return [...found.values()].sort((a, b) => (a.machine < b.machine ? -1 : a.machine > b.machine ? 1 : 0))
}
