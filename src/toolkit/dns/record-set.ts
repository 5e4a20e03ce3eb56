import type { JsonObject } from '../../model/json.ts'
import { type DomainName, isWithin, ownerName, relativeName } from './name.ts'
import type { RecordSetSpec, ZoneSpec } from './schema.ts'

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

/** Key of a record set made at run time: `shop.example www A`. */
export function recordKey(zone: DomainName, name: DomainName, type: string): string {
  return `${zone} ${relativeName(name, zone)} ${type}`
}

/**
 * Every record set of a zone, sorted. One that was made at run time stays when a blueprint comes to have the same name and type: nothing
 * that somebody made is lost by a deploy.
 */
export function recordSets({ zone, ttl, records }: ZoneSpec, overrides: Overrides): RecordSet[] {
  const sets = new Map<string, RecordSet>()
  const add = (set: RecordSet) => sets.set(`${set.name} ${set.type}`, set)
  for (const { name, type, ...spec } of records) {
    const owner = ownerName(name, zone)
    if (owner !== undefined) add({ name: owner, type, owner: 'blueprint', ttl: spec.ttl ?? ttl, spec })
  }
  for (const [key, value] of Object.entries(overrides)) {
    const [of, name = '', type = ''] = key.split(' ')
    if (of !== zone) continue
    const owner = ownerName(name, zone)
    const { owner: by, ...spec } = value as unknown as RecordSetSpec & { owner: Owner }
    if (owner !== undefined) add({ name: owner, type, owner: by, ttl: spec.ttl ?? ttl, spec })
  }
  return [...sets.values()].sort((a, b) => compareNames(a.name, b.name) || (a.type < b.type ? -1 : 1))
}

/** Names from the top down, as people list zones. */
function compareNames(a: DomainName, b: DomainName): number {
  const [left, right] = [a, b].map((name) => name.split('.').reverse().join('.')) as [string, string]
  return left < right ? -1 : left > right ? 1 : 0
}

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
  if (owner === undefined || !isWithin(owner, zone)) {
    problems.push({ path: 'name', message: `must be a name in the zone ${zone}`, found: name.slice(0, 80) })
    return problems
  }
  if (owner === zone && type === 'CNAME')
    problems.push({ path: 'type', message: 'the zone itself cannot be a CNAME (RFC 1034): use ALIAS', found: type })
  if (owner === zone && type === 'NS')
    problems.push({ path: 'type', message: "the zone's own NS records are made by Kitbag", found: type })
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
  for (const [i, { weight, countries, continents }] of (answers ?? []).entries()) {
    const path = `answers.${i}`
    if (weight !== undefined && routing !== 'weighted')
      problems.push({ path: `${path}.weight`, message: 'is for `routing: weighted`' })
    if (weight === undefined && routing === 'weighted') problems.push({ path, message: 'needs a `weight`' })
    if ((countries ?? continents) !== undefined && routing !== 'nearest')
      problems.push({ path: `${path}.${countries ? 'countries' : 'continents'}`, message: 'is for `routing: nearest`' })
  }
  if (routing === 'weighted' && (answers ?? []).every(({ weight = 0 }) => weight === 0))
    problems.push({ path: 'answers', message: 'one has to have a weight above 0' })
  return problems
}

/** Names that hold a CNAME hold nothing else (RFC 1034, 3.6.2). Gives those that do. */
export function mixedNames(sets: Pick<RecordSet, 'name' | 'type'>[]): DomainName[] {
  const types = new Map<DomainName, string[]>()
  for (const { name, type } of sets) types.set(name, [...(types.get(name) ?? []), type])
  return [...types].flatMap(([name, list]) => (list.includes('CNAME') && list.length > 1 ? [name] : []))
}
