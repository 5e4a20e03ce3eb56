import type { ResolvedService } from '../../model/blueprint.ts'
import type { ReleaseSpec } from '../../model/release.ts'
import type { ToolkitRegistry, ToolkitService, ToolkitWatch } from '../../toolkit/contract.ts'

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
export function servicesToWatch(toolkit: ToolkitRegistry, { blueprint }: ReleaseSpec): WatchedService[] {
  return blueprint.services.flatMap((service): WatchedService[] => {
    const found = toolkit[service.kind]
    const interval = found?.watch?.interval(service.spec)
    if (!found?.watch || interval === undefined) return []
    return [{ service, toolkit: found, watch: found.watch, interval: Math.max(shortest, interval) }]
  })
}
