import { createHmac } from 'node:crypto'
import { KitbagError } from '../../model/errors.ts'
import type { Prepared, PrepareInput } from '../contract.ts'
import { countriesArchive, noCountriesArchive } from './countries/archive.ts'
import { zoneKey } from './dnssec.ts'
import type { DomainName } from './name.ts'
import type { Overrides } from './record-set.ts'
import { renderedZone } from './rendered-zone.ts'
import type { ZoneSpec } from './schema.ts'
import { knownZones } from './zones.ts'

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
  /** What secondaries sign with (TSIG). */
  transfer: { name: string; secret: string; mark: string } | null
}

/** Key under which a zone's serial is kept. */
const serialKey = (zone: string): string => `serial ${zone}`

/** Its secret known; `mark` tells one secret from another and says nothing of it. Throws `invalid-request`. */
function transferKey({ zone, transferKey: key }: ZoneSpec, seed = '') {
  if (!key) return undefined
  const { name, secret } = key as { name: string; secret: unknown }
  if (typeof secret !== 'string' || !/^(?:[A-Za-z0-9+/]{4}){4,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(secret))
    throw new KitbagError(
      'invalid-request',
      `${zone}: the secret of the transfer key ${name} is no base64 of 16 bytes or more`,
      {
        fix: 'Store one as `openssl rand -base64 32` writes it.',
      },
    )
  return { name, secret, mark: createHmac('sha256', seed).update(secret).digest('hex').slice(0, 16) }
}

/** Zone files and keys of one node: equal on all of them, with a serial that goes up when the content changes. */
export async function prepare(input: PrepareInput): Promise<Prepared> {
  const { parameters, peers, revision } = input
  const { zones, overrides, seed } = parameters as unknown as DnsParameters
  const nameservers = peers.map(({ address, addresses = [address] }) => addresses)
  const secrets: string[] = []
  const files: ZoneFile[] = []
  const routes = new Set<string>()
  for (const known of knownZones(zones, overrides)) {
    const { spec } = known
    const { start, records, digest, routings } = renderedZone(known, nameservers)
    for (const routing of routings) routes.add(routing)
    // Seconds, so that serials go up also when this control plane's memory of them is lost (RFC 1912, 2.2, allows any that do).
    const serial = await revision(serialKey(spec.zone), digest, Math.floor(Date.now() / 1000))
    const key = spec.dnssec && seed !== undefined ? zoneKey(seed, spec.zone) : undefined
    if (key) secrets.push(key.privateKey)
    const transfer = transferKey(spec, seed)
    if (transfer) secrets.push(transfer.secret)
    files.push({
      zone: spec.zone,
      text: start(serial) + records,
      serial,
      secondaries: spec.secondaries,
      publicKey: key?.publicKey ?? null,
      key: key?.privateKey ?? null,
      transfer: transfer ?? null,
    })
  }
  const countries = routes.has('nearest') ? await countriesArchive(input, overrides) : await noCountriesArchive(input)
  return { parameters: { ...parameters, files, countries }, secrets }
}
