import { createHash } from 'node:crypto'
import { KitbagError } from '../../model/errors.ts'
import type { Prepared, PrepareInput } from '../contract.ts'
import { zoneKey } from './dnssec.ts'
import type { DomainName } from './name.ts'
import { type Overrides, recordSets } from './record-set.ts'
import type { ZoneSpec } from './schema.ts'
import { powerdnsText, type ServedSet, served, type Zone } from './zone-file.ts'
import { allZones } from './zones.ts'

/** The recipe's parameters as the planner set them, their references resolved. */
export interface DnsParameters {
  zones: ZoneSpec[]
  overrides: Overrides
  /** Generated; what zone keys are made from. */
  seed?: string
}

/** A zone as the recipe's templates take it. */
export interface ZoneFile {
  zone: DomainName
  text: string
  serial: number
  secondaries: string[]
  publicKey: string | null
  /** Base64; null: not signed. */
  key: string | null
}

/** Key under which a zone's serial is kept. */
export const serialKey = (zone: string): string => `serial ${zone}`

/** What a zone holds, from resolved parameters. Throws `invalid-request` naming the set that does not fit. */
export function zoneContents(spec: ZoneSpec, overrides: Overrides): ServedSet[] {
  return recordSets(spec, overrides).map((set) => {
    try {
      return served(set, spec.zone)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      throw new KitbagError('invalid-request', `${set.name} ${set.type}: ${error.message}`)
    }
  })
}

/** Zone files and keys of one node: equal on all of them, with a serial that goes up when the content changes. */
export async function prepare({ parameters, peers, revision }: PrepareInput): Promise<Prepared> {
  const { zones, overrides, seed } = parameters as unknown as DnsParameters
  const nameservers = peers.map(({ address }) => address)
  const secrets: string[] = []
  const files: ZoneFile[] = []
  for (const spec of allZones(zones, overrides)) {
    const zone: Zone = {
      zone: spec.zone,
      ttl: Math.round(spec.ttl / 1000),
      sets: zoneContents(spec, overrides),
      nameservers,
    }
    const digest = createHash('sha256').update(powerdnsText(zone, 0)).digest('hex')
    // Seconds, so that serials go up also when this control plane's memory of them is lost (RFC 1912, 2.2, allows any that do).
    const serial = await revision(serialKey(spec.zone), digest, Math.floor(Date.now() / 1000))
    const key = spec.dnssec && seed !== undefined ? zoneKey(seed, spec.zone) : undefined
    if (key) secrets.push(key.privateKey)
    files.push({
      zone: spec.zone,
      text: powerdnsText(zone, serial),
      serial,
      secondaries: spec.secondaries,
      publicKey: key?.publicKey ?? null,
      key: key?.privateKey ?? null,
    })
  }
  return { parameters: { ...parameters, files }, secrets }
}
