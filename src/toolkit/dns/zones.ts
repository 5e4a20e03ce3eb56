import type { DomainName } from './name.ts'
import type { Overrides } from './record-set.ts'
import type { ZoneSpec } from './schema.ts'

/** Key of a zone made at run time. Record sets' keys begin with the zone's name, which is never this word: it has no dot. */
export const zoneKeyOf = (zone: DomainName): string => `zone ${zone}`

/** Zones of the blueprint, then those that were made at run time. */
export function allZones(zones: ZoneSpec[], overrides: Overrides): ZoneSpec[] {
  const known = new Set(zones.map(({ zone }) => zone))
  const made = Object.entries(overrides).flatMap(([key, value]) => {
    const [word, zone = ''] = key.split(' ')
    if (word !== 'zone' || known.has(zone)) return []
    return [{ records: [], ...value, zone } as unknown as ZoneSpec]
  })
  return [...zones, ...made]
}
