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

interface Grouped {
  /** Names of zones that were made at run time. */
  zones: [DomainName, Overrides[string]][]
  changes: Map<DomainName, KnownZone['changes']>
}

/** By what was read once: who reads the same again gets the same object. */
const grouped = new WeakMap<Overrides, Grouped>()

function groupsOf(overrides: Overrides): Grouped {
  const known = grouped.get(overrides)
  if (known) return known
  const made: Grouped = { zones: [], changes: new Map() }
  for (const [key, value] of Object.entries(overrides)) {
    const [zone = '', name, type] = key.split(' ')
    if (name === undefined) made.zones.push([zone, value])
    else if (type !== undefined) {
      const changes = made.changes.get(zone) ?? []
      changes.push({ name: fromRelative(name, zone), type, value })
      made.changes.set(zone, changes)
    }
  }
  grouped.set(overrides, made)
  return made
}

/** Zones of the blueprint, then those that were made at run time, each with what was changed at run time. */
export function knownZones(zones: ZoneSpec[], overrides: Overrides): KnownZone[] {
  const groups = groupsOf(overrides)
  const changesOf = (zone: DomainName) => groups.changes.get(zone) ?? []
  const names = new Set(zones.map(({ zone }) => zone))
  const more = groups.zones.filter(([zone]) => !names.has(zone))
  return [
    ...zones.map((spec) => ({ spec, owner: 'blueprint' as const, changes: changesOf(spec.zone) })),
    ...more.map(([zone, value]) => {
      const spec = { records: [], ...value, zone } as unknown as ZoneSpec
      return { spec, owner: 'api' as const, changes: changesOf(zone) }
    }),
  ]
}
