import type { Store } from '../db/store.ts'
import { type MachineCost, unknownCost } from '../model/cost.ts'
import type { ResolvedMachineSpec } from '../model/machine.ts'
import type { CostOf } from '../planner/costs.ts'
import { costs } from '../providers/index.ts'

/** Prices of clouds, by id: read from the database and the providers' tables, without asking any cloud. */
export async function costsOf(store: Pick<Store, 'clouds'>, cloudIds: Iterable<string>): Promise<CostOf> {
  const found = await Promise.all(
    [...new Set(cloudIds)].map(async (id) => [id, await machineCosts(store, id)] as const),
  )
  const byCloud = new Map(found)
  return (cloudId, spec) => byCloud.get(cloudId)?.(spec) ?? unknownCost(`there is no cloud ${cloudId} any more`)
}

async function machineCosts(
  { clouds }: Pick<Store, 'clouds'>,
  cloudId: string,
): Promise<((spec: ResolvedMachineSpec) => MachineCost) | undefined> {
  const cloud = await clouds.get(cloudId)
  if (!cloud) return undefined
  const load = Object.hasOwn(costs, cloud.provider) ? costs[cloud.provider as keyof typeof costs] : undefined
  if (load) return (await load())(cloud.settings)
  const unknown = unknownCost(`${cloud.name}: what a machine of provider ${cloud.provider} costs is not known`)
  return () => unknown
}
