import { type DomainName, fromRelative, relativeName } from './name.ts'
import type { Overrides } from './record-set.ts'
import type { ZoneSpec } from './schema.ts'

/** A zone with the record sets that were made at run time. */
export interface KnownZone {
  spec: ZoneSpec
  owner: 'blueprint' | 'api'
  /** By name and type. */
  changes: { name: DomainName; type: string; value: Overrides[string] }[]
}

/** Key of a zone made at run time: its name. */
export const zoneKeyOf = (zone: DomainName): string => zone

/** Key of a record set made at run time: `shop.example www A`. */
export function recordKey(zone: DomainName, name: DomainName, type: string): string {
  return `${zone} ${relativeName(name, zone)} ${type}`
}

/** Key of the country database that was uploaded. Two words: zones have one, record sets three. */
export const countriesKey = 'countries archive'

/** Zones of the blueprint, then those that were made at run time, each with what was changed at run time. */
export function knownZones(zones: ZoneSpec[], overrides: Overrides): KnownZone[] {
  const known = new Map(
    zones.map((spec): [DomainName, KnownZone] => [spec.zone, { spec, owner: 'blueprint', changes: [] }]),
  )
  const sets: [string[], Overrides[string]][] = []
  for (const [key, value] of Object.entries(overrides)) {
    const words = key.split(' ')
    const [zone = ''] = words
    if (words.length === 3) sets.push([words, value])
    else if (words.length === 1 && !known.has(zone))
      known.set(zone, { spec: { records: [], ...value, zone } as unknown as ZoneSpec, owner: 'api', changes: [] })
  }
  for (const [[zone = '', name = '', type = ''], value] of sets)
    known.get(zone)?.changes.push({ name: fromRelative(name, zone), type, value })
  return [...known.values()]
}
