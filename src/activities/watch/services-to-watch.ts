import type { Store } from '../../db/store.ts'
import type { ResolvedService } from '../../model/blueprint.ts'
import type { ToolkitRegistry, ToolkitService, ToolkitWatch } from '../../toolkit/contract.ts'
import { releaseOf } from '../release-of.ts'

export interface WatchedService {
  service: ResolvedService
  toolkit: ToolkitService
  watch: ToolkitWatch
  /** Milliseconds. */
  interval: number
}

/** Milliseconds, whatever a section says. */
const shortest = 1_000

/** Services of a release that act by themselves. */
export async function servicesToWatch(
  { store, toolkit }: { store: Pick<Store, 'releases'>; toolkit: ToolkitRegistry },
  deploymentId: string,
  release: number,
): Promise<WatchedService[]> {
  const { spec } = await releaseOf(store, deploymentId, release)
  return spec.blueprint.services.flatMap((service): WatchedService[] => {
    const found = toolkit[service.kind]
    const interval = found?.watch?.interval(service.spec)
    if (!found?.watch || interval === undefined) return []
    return [{ service, toolkit: found, watch: found.watch, interval: Math.max(shortest, interval) }]
  })
}
