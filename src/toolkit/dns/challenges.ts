import { canonicalJson, type JsonObject } from '../../model/json.ts'
import type { ChallengeSolver } from '../contract.ts'
import { type DomainName, isWithin } from './name.ts'
import { type DnsSpec, zonesOf } from './schema.ts'
import { type KnownZone, knownZones, recordKey } from './zones.ts'

/** RFC 8555, 8.4. */
const label = '_acme-challenge'
/** Milliseconds: each value is asked for once. */
const ttl = 1_000

type Input = Parameters<ChallengeSolver<DnsSpec>['covers']>[0]

/** Of the zones that hold the name the one that is nearest to it. */
function zoneFor({ spec, overrides }: Input, name: DomainName): KnownZone | undefined {
  return knownZones(zonesOf(spec), overrides)
    .filter((zone) => isWithin(name, zone.spec.zone))
    .sort((a, b) => b.spec.zone.length - a.spec.zone.length)[0]
}

/** What somebody made by the API stays as it is. */
function isFree({ overrides }: Input, key: string): boolean {
  return (overrides[key]?.owner ?? 'system') === 'system'
}

const nameOf = (host: string): DomainName => `${label}.${host}`

/** Shows challenges as TXT records that belong to the system. */
export const challenges: ChallengeSolver<DnsSpec> = {
  covers(input, host) {
    const zone = zoneFor(input, nameOf(host))
    return zone !== undefined && isFree(input, recordKey(zone.spec.zone, nameOf(host), 'TXT'))
  },
  overrides(input, shown) {
    const wanted = new Map<string, string[]>()
    for (const { host, value } of shown) {
      const zone = zoneFor(input, nameOf(host))
      if (!zone) continue
      const key = recordKey(zone.spec.zone, nameOf(host), 'TXT')
      if (!isFree(input, key)) continue
      wanted.set(key, [...(wanted.get(key) ?? []), value].sort())
    }
    const changes: Record<string, JsonObject | null> = {}
    for (const [key, value] of Object.entries(input.overrides))
      if (value.owner === 'system' && !wanted.has(key)) changes[key] = null
    for (const [key, value] of wanted) {
      const set: JsonObject = { value, ttl, owner: 'system' }
      if (canonicalJson(input.overrides[key] ?? null) !== canonicalJson(set)) changes[key] = set
    }
    return changes
  },
}
