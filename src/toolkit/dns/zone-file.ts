import type { Value } from '../../model/value.ts'
import { failover, healthy, nearest, weighted } from './lua.ts'
import { type DomainName, relativeName } from './name.ts'
import { canonicalContent } from './rdata.ts'
import type { Owner, RecordSet } from './record-set.ts'
import { chunks, quoteString } from './text-fields.ts'

/** A record set as it is served. */
export interface ServedSet {
  name: DomainName
  type: string
  owner: Owner
  /** Seconds. */
  ttl: number
  /** Canonical contents, sorted; of a routed set, every address that it may answer. */
  contents: string[]
  /** Of a routed or health-checked set: the Lua that chooses. */
  lua?: string
}

/** A set with its values known. Throws RangeError naming what does not fit. */
export function served(set: RecordSet, zone: DomainName): ServedSet {
  const { name, type, owner, spec } = set
  const ttl = Math.round(set.ttl / 1000)
  const contents = (value: Value | undefined) => {
    const found = [value ?? []].flat(2) as Value[]
    if (found.length > 0 && found.every((one) => typeof one === 'string'))
      return [...new Set(found.map((one) => canonicalContent(type, one as string, zone)))].sort()
    throw new RangeError(found.length === 0 ? 'there is no value' : 'a value is a text')
  }
  const base = { name, type, owner, ttl }
  const { answers, routing, health } = spec
  if (answers && routing) {
    const all = answers.map(({ value, weight, countries, continents }) => ({
      addresses: contents(value as Value),
      ...(weight !== undefined && { weight }),
      ...(countries && { countries }),
      ...(continents && { continents }),
    }))
    const lua =
      routing === 'weighted'
        ? weighted(all, health)
        : routing === 'nearest'
          ? nearest(all, health)
          : health && failover(all, health)
    return { ...base, contents: [...new Set(all.flatMap(({ addresses }) => addresses))].sort(), ...(lua && { lua }) }
  }
  const known = contents(spec.value as Value)
  return { ...base, contents: known, ...(health && { lua: healthy(known, health) }) }
}

export interface Zone {
  zone: DomainName
  /** Seconds. */
  ttl: number
  sets: ServedSet[]
  /** Addresses of the name servers, in order: ns1, ns2 ... */
  nameservers: string[]
}

/** Names of the zone's own name servers. */
export function nameserverNames({ zone, nameservers }: Pick<Zone, 'zone' | 'nameservers'>): DomainName[] {
  return nameservers.map((_, i) => `ns${i + 1}.${zone}`)
}

/** The zone as everybody may read it: standard records only, so that any name server can take it. */
export function zoneText(zone: Zone, serial: number): string {
  return text(zone, serial, (set) => set.contents.map((content) => [set.type, content]))
}

/** The zone as PowerDNS serves it: sets that choose are Lua. */
export function powerdnsText(zone: Zone, serial: number): string {
  return text(zone, serial, ({ type, contents, lua }) =>
    lua === undefined
      ? contents.map((content) => [type, content])
      : [['LUA', `${type} ${chunks(lua).map(quoteString).join(' ')}`]],
  )
}

/** SOA times as RIPE-203 recommends for small, stable zones; what is not there is forgotten after the zone's own TTL. */
const soaTimes = { refresh: 86_400, retry: 7200, expire: 3_600_000 }

function text(zone: Zone, serial: number, records: (set: ServedSet) => string[][]): string {
  const { zone: name, ttl, sets, nameservers } = zone
  const line = (owner: string, seconds: number, type: string, content: string) =>
    `${owner} ${seconds} IN ${type} ${content}`
  const own = nameserverNames(zone)
  const { refresh, retry, expire } = soaTimes
  const soa = `${own[0] ?? `ns1.${name}`}. hostmaster.${name}. ${serial} ${refresh} ${retry} ${expire} ${Math.min(ttl, 3600)}`
  const taken = new Set(sets.map((set) => `${set.name} ${set.type}`))
  const glue = own.flatMap((server, i) => {
    const address = nameservers[i] ?? ''
    const type = address.includes(':') ? 'AAAA' : 'A'
    return taken.has(`${server} ${type}`) ? [] : [line(relativeName(server, name), ttl, type, address)]
  })
  return [
    `$ORIGIN ${name}.`,
    line('@', ttl, 'SOA', soa),
    ...own.map((server) => line('@', ttl, 'NS', `${server}.`)),
    ...glue,
    ...sets.flatMap((set) =>
      records(set).map(([type = '', content = '']) => line(relativeName(set.name, name), set.ttl, type, content)),
    ),
    '',
  ].join('\n')
}
