import type { Overrides } from '../../../../src/toolkit/dns/record-set.ts'
import { dnsSchema, zonesOf } from '../../../../src/toolkit/dns/schema.ts'
import { type KnownZone, knownZones } from '../../../../src/toolkit/dns/zones.ts'

/** The first zone of a blueprint's section, with what was changed at run time. */
export function zoneOf(section: unknown, overrides: Overrides = {}): KnownZone {
  const [zone] = knownZones(zonesOf(dnsSchema.parse(section)), overrides)
  if (!zone) throw new Error('no zone')
  return zone
}

/** Sets made by the API, from their keys and fields. */
export const byApi = (sets: Record<string, object>): Overrides =>
  Object.fromEntries(Object.entries(sets).map(([key, value]) => [key, { owner: 'api', ...value }]))
