import type { JsonObject } from '../model/json.ts'
import type { ReleaseSpec } from '../model/release.ts'

type Overrides = Record<string, Record<string, JsonObject>>

/**
 * Stored overrides as they hold for a release that is about to follow another: a scale holds until the blueprint's own `replicas`
 * changes, and then no more.
 */
export function effectiveOverrides(stored: Overrides, current: ReleaseSpec | undefined, next: ReleaseSpec): Overrides {
  const { scale } = stored
  if (!scale || !current) return stored
  const replicas = ({ blueprint }: ReleaseSpec, name: string) =>
    blueprint.components.find((component) => component.name === name)?.replicas
  const kept = Object.entries(scale).filter(([name]) => replicas(current, name) === replicas(next, name))
  return { ...stored, scale: Object.fromEntries(kept) }
}
