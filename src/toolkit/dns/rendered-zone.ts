import { createHash } from 'node:crypto'
import { KitbagError } from '../../model/errors.ts'
import { recordSets } from './record-set.ts'
import { powerdnsRecords, type ServedSet, served, type Zone, zoneStart } from './zone-file.ts'
import type { KnownZone } from './zones.ts'

/** A zone as nodes get it, but for its serial. */
export interface RenderedZone {
  /** The lines that hold the serial. */
  start(serial: number): string
  records: string
  /** Of all but the serial. */
  digest: string
  /** Ways of choosing an answer that are in it. */
  routings: Set<string>
}

/** Record sets from which on a rendered zone is kept, and how many zones at most. Each node of each change asks for it again. */
const large = 5000
const mostKept = 4
const kept = new Map<string, RenderedZone>()

/** Makes the zone from resolved parameters. Throws `invalid-request` naming the set that does not fit. */
export function renderedZone(known: KnownZone, nameservers: string[][]): RenderedZone {
  const { spec, changes } = known
  if (spec.records.length + changes.length < large) return render(known, nameservers)
  const content = JSON.stringify([spec.zone, spec.ttl, spec.records, changes, nameservers])
  const key = createHash('sha256').update(content).digest('hex')
  const rendered = kept.get(key) ?? render(known, nameservers)
  kept.delete(key)
  kept.set(key, rendered)
  for (const oldest of kept.keys()) if (kept.size > mostKept) kept.delete(oldest)
  return rendered
}

function render(known: KnownZone, nameservers: string[][]): RenderedZone {
  const sets = zoneContents(known)
  const { zone: name, ttl } = known.spec
  const zone: Zone = { zone: name, ttl: Math.round(ttl / 1000), sets, nameservers }
  const start = zoneStart({ zone: name, ttl: zone.ttl, nameservers })
  const records = powerdnsRecords(zone)
  const digest = createHash('sha256').update(start(0)).update(records).digest('hex')
  return { start, records, digest, routings: new Set(sets.map(({ routing }) => routing)) }
}

/** What a zone holds, from resolved parameters. Throws `invalid-request` naming the set that does not fit. */
export function zoneContents(zone: KnownZone): ServedSet[] {
  return recordSets(zone).flatMap((set) => {
    try {
      return served(set, zone.spec.zone) ?? []
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      throw new KitbagError('invalid-request', `${set.name} ${set.type}: ${error.message}`)
    }
  })
}
