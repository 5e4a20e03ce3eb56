import type { JsonObject } from '../../model/json.ts'
import { type DomainName, isWithin, ownerName, relativeName } from './name.ts'
import { isAlias } from './rdata.ts'
import type { RecordSetSpec } from './schema.ts'
import type { KnownZone } from './zones.ts'

/** Who made a record set; only its owner changes it. */
export type Owner = 'blueprint' | 'api' | 'system'

/** A record set before its content is known. */
export interface RecordSet {
  name: DomainName
  type: string
  owner: Owner
  /** Milliseconds. */
  ttl: number
  spec: RecordSetSpec
}

/** Stored run-time changes, by key. */
export type Overrides = Record<string, JsonObject>

/**
 * Every record set of a zone, from the top down as people list zones. One that was made at run time stays when a blueprint comes to have
 * the same name and type, or what cannot stand beside it: nothing that somebody made is lost by a deploy.
 */
export function recordSets({ spec: { zone, ttl, records }, changes }: KnownZone): RecordSet[] {
  const sets = new Map<string, RecordSet>()
  const keyOf = ({ name, type }: RecordSet) => `${name} ${type}`
  const add = (set: RecordSet) => sets.set(keyOf(set), set)
  for (const { name, type, ...spec } of records) {
    const owner = ownerName(name, zone)
    if (owner !== undefined) add({ name: owner, type, owner: 'blueprint', ttl: spec.ttl ?? ttl, spec })
  }
  const blueprint = [...sets.values()]
  for (const { name, type, value } of changes) {
    const { owner, ...spec } = value as unknown as RecordSetSpec & { owner: Owner }
    add({ name, type, owner, ttl: spec.ttl ?? ttl, spec })
  }
  const mixed = new Set(mixedNames([...sets.values()]))
  const changed = new Set(changes.map(({ name }) => name))
  for (const set of blueprint) if (mixed.has(set.name) && changed.has(set.name)) sets.delete(`${set.name} ${set.type}`)
  const keys = new Map([...sets.values()].map((set) => [set, `${set.name.split('.').reverse().join('.')} ${set.type}`]))
  return [...sets.values()].sort((a, b) => ((keys.get(a) ?? '') < (keys.get(b) ?? '') ? -1 : 1))
}

/** What is wrong with a set, and where. */
export interface Problem {
  path: string
  message: string
  found?: string
  allowed?: string[]
}

/** What a set may not be, wherever it comes from. Paths are relative to it. */
export function setProblems(zone: DomainName, name: string, type: string, spec: RecordSetSpec): Problem[] {
  const problems: Problem[] = []
  const owner = ownerName(name, zone)
  if (owner === undefined || !isWithin(owner, zone))
    return [{ path: 'name', message: `must be a name in the zone ${zone}`, found: name.slice(0, 80) }]
  if (owner === zone && type === 'CNAME')
    problems.push({ path: 'type', message: 'the zone itself cannot be a CNAME (RFC 1034): use ALIAS', found: type })
  if (owner === zone && type === 'NS')
    problems.push({ path: 'type', message: "the zone's own NS records are made by Kitbag", found: type })
  if (isAlias(type) && /^ns(?:[1-9]|10)$/.test(relativeName(owner, zone)))
    problems.push({ path: 'name', message: "is the name of one of the zone's own name servers", found: name })
  return [...problems, ...routingProblems(type, spec)]
}

function routingProblems(type: string, { value, routing, answers, health }: RecordSetSpec): Problem[] {
  const problems: Problem[] = []
  const isAddress = type === 'A' || type === 'AAAA'
  if (!isAddress && (routing ?? health) !== undefined)
    problems.push({ path: routing ? 'routing' : 'health', message: 'is for records of type A and AAAA', found: type })
  if ((value === undefined) === (answers === undefined))
    problems.push({ path: value === undefined ? '' : 'answers', message: 'needs either `value` or `answers`' })
  if ((routing === undefined) !== (answers === undefined))
    problems.push({ path: routing ? 'routing' : '', message: '`routing` and `answers` go together' })
  if (routing === 'failover' && health === undefined)
    problems.push({ path: 'routing', message: 'failover needs `health`: by that it is decided' })
  const places = new Set<string>()
  for (const [i, { weight, countries, continents }] of (answers ?? []).entries()) {
    const path = `answers.${i}`
    for (const [field, codes] of Object.entries({ countries, continents })) {
      if (codes !== undefined && routing !== 'nearest')
        problems.push({ path: `${path}.${field}`, message: 'is for `routing: nearest`' })
      const again = codes?.find((code) => places.has(`${field} ${code}`))
      if (again !== undefined)
        problems.push({ path: `${path}.${field}`, message: `${again} is there twice`, found: again })
      for (const code of codes ?? []) places.add(`${field} ${code}`)
    }
    if (weight !== undefined && routing !== 'weighted')
      problems.push({ path: `${path}.weight`, message: 'is for `routing: weighted`' })
    if (weight === undefined && routing === 'weighted') problems.push({ path, message: 'needs a `weight`' })
  }
  if (routing === 'nearest' && places.size === 0)
    problems.push({ path: 'answers', message: 'one has to say its `countries` or `continents`' })
  if (routing === 'weighted' && (answers ?? []).every(({ weight = 0 }) => weight === 0))
    problems.push({ path: 'answers', message: 'one has to have a weight above 0' })
  return problems
}

/** Names that hold a CNAME hold nothing else (RFC 1034, 3.6.2). Gives those that do. */
export function mixedNames(sets: Pick<RecordSet, 'name' | 'type'>[]): DomainName[] {
  const types = new Map<DomainName, string[]>()
  for (const { name, type } of sets) {
    const list = types.get(name)
    if (list) list.push(type)
    else types.set(name, [type])
  }
  return [...types].flatMap(([name, list]) => (list.includes('CNAME') && list.length > 1 ? [name] : []))
}
