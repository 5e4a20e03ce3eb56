import { isIPv4, isIPv6 } from 'node:net'
import type { Value } from '../../model/value.ts'
import { type Answer, failover, healthy, luaStrings, nearest, weighted } from './lua.ts'
import { type DomainName, relativeName } from './name.ts'
import { canonicalContents } from './rdata.ts'
import type { Owner, RecordSet } from './record-set.ts'
import type { Health, RecordSetSpec } from './schema.ts'

/** A record set as it is served. */
export interface ServedSet {
  name: DomainName
  type: string
  owner: Owner
  /** Seconds. */
  ttl: number
  /** Canonical contents, sorted; of a routed set, every address that it may answer. */
  contents: string[]
  /** `simple`, `weighted`, `failover`, `nearest`, or `health` where addresses are checked. */
  routing: string
  /** Of a set that chooses: the Lua that does. */
  lua?: string
}

/** Characters of Lua that a record may hold, beside its type and the lengths of its strings (RFC 1035: 65,535 bytes). */
const maxLua = 60_000

/**
 * A set with its values known; undefined: what it refers to has no machines now, so it has no records. Throws RangeError naming what does
 * not fit.
 */
export function served({ name, type, owner, ttl, spec }: RecordSet, zone: DomainName): ServedSet | undefined {
  const { value, answers, routing, health } = spec
  const contents = (given: Value | undefined): string[] =>
    canonicalContents(type, owner === 'blueprint' ? fitting(type, texts(given)) : texts(given), zone)
  const known = (answers ?? [])
    .map(({ value: one, ...how }): Answer => ({ addresses: contents(one as Value), ...how }))
    .filter(({ addresses }) => addresses.length > 0)
  const all = answers ? [...new Set(known.flatMap(({ addresses }) => addresses))].sort() : contents(value as Value)
  if (all.length === 0) return undefined
  const lua = chooser(routing, known, health) ?? (health && healthy(all, health))
  if (lua !== undefined && lua.length > maxLua)
    throw new RangeError('has more addresses than one answer can choose from')
  const how = routing ?? (health ? 'health' : 'simple')
  return {
    name,
    type,
    owner,
    ttl: Math.round(ttl / 1000),
    contents: all,
    routing: how,
    ...(lua !== undefined && { lua }),
  }
}

/** The Lua that chooses among answers; undefined: nothing is chosen. */
function chooser(routing: RecordSetSpec['routing'], answers: Answer[], health: Health | undefined): string | undefined {
  if (routing === 'weighted') return weighted(answers, health)
  if (routing === 'nearest') return nearest(answers, health)
  return routing === 'failover' && health ? failover(answers, health) : undefined
}

/** A reference may give addresses of both families, of which a set has one. What a blueprint says in plain text was checked with it. */
function fitting(type: string, values: string[]): string[] {
  if (type === 'A') return values.filter((value) => !isIPv6(value))
  return type === 'AAAA' ? values.filter((value) => !isIPv4(value)) : values
}

/** A value as a list of texts; a reference to several things is a list in it. */
function texts(value: Value | undefined): string[] {
  const found = [value ?? []].flat(2) as Value[]
  if (found.every((one) => typeof one === 'string')) return found as string[]
  throw new RangeError('a value is a text')
}

/** A zone as it is served. */
export interface Zone {
  zone: DomainName
  /** Seconds. */
  ttl: number
  sets: ServedSet[]
  /** Addresses of each name server, in order: ns1, ns2 ... */
  nameservers: string[][]
}

/** Names of the zone's own name servers. */
export function nameserverNames({ zone, nameservers }: Pick<Zone, 'zone' | 'nameservers'>): DomainName[] {
  return nameservers.map((_, i) => `ns${i + 1}.${zone}`)
}

/** The zone as everybody may read it: standard records only, so that any name server can take it. */
export function zoneText(zone: Zone, serial: number): string {
  return zoneStart(zone)(serial) + records(zone, (set) => set.contents.map((content) => [set.type, content]))
}

/** All but the start of the zone as PowerDNS serves it: sets that choose are Lua. */
export function powerdnsRecords(zone: Zone): string {
  return records(zone, ({ type, contents, lua }) =>
    lua === undefined ? contents.map((content) => [type, content]) : [['LUA', `${type} ${luaStrings(lua)}`]],
  )
}

/** SOA times as RIPE-203 recommends for small, stable zones; what is not there is forgotten after the zone's own TTL. */
const soaTimes = { refresh: 86_400, retry: 7200, expire: 3_600_000 }

/** Writes the lines of a zone file that change with the serial. */
export function zoneStart({ zone, ttl, nameservers }: Omit<Zone, 'sets'>): (serial: number) => string {
  const [first = `ns1.${zone}`] = nameserverNames({ zone, nameservers })
  const { refresh, retry, expire } = soaTimes
  return (serial) => {
    const times = [serial, refresh, retry, expire, Math.min(ttl, 3600)].join(' ')
    return `$ORIGIN ${zone}.\n${line('@', ttl, 'SOA', `${first}. hostmaster.${zone}. ${times}`)}`
  }
}

function line(owner: string, ttl: number, type: string, content: string): string {
  return `${owner} ${ttl} IN ${type} ${content}\n`
}

function records(zone: Zone, write: (set: ServedSet) => string[][]): string {
  const { zone: name, ttl, sets, nameservers } = zone
  const own = nameserverNames(zone)
  const taken = new Set(sets.map((set) => `${set.name} ${set.type}`))
  const glue = own.flatMap((server, i) =>
    (nameservers[i] ?? []).flatMap((address) => {
      const type = isIPv6(address) ? 'AAAA' : 'A'
      return taken.has(`${server} ${type}`) ? [] : [line(relativeName(server, name), ttl, type, address)]
    }),
  )
  return [
    ...own.map((server) => line('@', ttl, 'NS', `${server}.`)),
    ...glue,
    ...sets.flatMap((set) =>
      write(set).map(([type = '', content = '']) => line(relativeName(set.name, name), set.ttl, type, content)),
    ),
  ].join('')
}
