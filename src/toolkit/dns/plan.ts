import { machinesOf } from '../../lib/fields.ts'
import type { ResolvedComponent } from '../../model/blueprint.ts'
import { referenceOwner, referencesIn, type Value } from '../../model/value.ts'
import type { ToolkitPlan } from '../contract.ts'
import { ownerName } from './name.ts'
import { canonicalContent } from './rdata.ts'
import { mixedNames, type Problem, recordSets, setProblems } from './record-set.ts'
import { type DnsSpec, type RecordSpec, type ZoneSpec, zonesOf } from './schema.ts'
import { served } from './zone-file.ts'

/** Zones there twice, names outside, contents that do not fit their type. */
export function validate(spec: DnsSpec): Problem[] {
  const problems: Problem[] = []
  const seen = new Set<string>()
  const keys = new Map<string, unknown>()
  if (spec.zone === undefined && spec.zones.length === 0)
    problems.push({ path: '', message: 'needs a `zone`, or `zones`' })
  if (spec.zone === undefined && spec.records.length > 0)
    problems.push({ path: 'records', message: 'belong to a `zone`, which is not given' })
  for (const [i, zone] of zonesOf(spec).entries()) {
    const own = spec.zone !== undefined && i === 0
    const at = own ? '' : `zones.${spec.zone === undefined ? i : i - 1}.`
    if (seen.has(zone.zone))
      problems.push({ path: `${at}zone`, message: `${zone.zone} is there twice`, found: zone.zone })
    seen.add(zone.zone)
    problems.push(...zoneProblems(zone, at))
    const { name, secret } = zone.transferKey ?? {}
    const known = keys.get(name ?? '') ?? secret
    if (name === undefined) continue
    if (JSON.stringify(known) !== JSON.stringify(secret))
      problems.push({ path: `${at}transferKey`, message: `the key ${name} has another secret elsewhere`, found: name })
    keys.set(name, secret)
  }
  return problems
}

function zoneProblems(zone: ZoneSpec, at: string): Problem[] {
  const problems: Problem[] = []
  const seen = new Set<string>()
  for (const [i, record] of zone.records.entries()) {
    const { name, type, ...spec } = record
    const path = `${at}records.${i}`
    const found = setProblems(zone.zone, name, type, spec)
    problems.push(...found.map((problem) => ({ ...problem, path: [path, problem.path].filter(Boolean).join('.') })))
    if (found.length > 0) continue
    const contents = contentProblems(zone, record, path)
    problems.push(...contents, ...(contents.length === 0 ? togetherProblems(zone, record, path) : []))
    const key = `${ownerName(name, zone.zone)} ${type}`
    if (seen.has(key))
      problems.push({ path, message: `${name} ${type} is there twice: give one a list of values`, found: name })
    seen.add(key)
  }
  const mixed = new Set(mixedNames(recordSets({ spec: zone, owner: 'blueprint', changes: [] })))
  for (const [i, { name, type }] of zone.records.entries()) {
    if (type === 'CNAME' && mixed.has(ownerName(name, zone.zone) ?? ''))
      problems.push({ path: `${at}records.${i}`, message: 'a name with a CNAME has no other records', found: name })
  }
  return problems
}

/** Values that are known are checked here; what they refer to, when it is known. */
function contentProblems({ zone }: ZoneSpec, { type, value, answers }: RecordSpec, path: string): Problem[] {
  const places: [string, Value | undefined][] = [
    [`${path}.value`, value as Value | undefined],
    ...(answers ?? []).map((answer, i): [string, Value] => [`${path}.answers.${i}.value`, answer.value as Value]),
  ]
  return places.flatMap(([place, given]) =>
    (given === undefined ? [] : Array.isArray(given) ? [...given.entries()] : [[undefined, given] as const]).flatMap(
      ([i, one]): Problem[] => {
        if (typeof one !== 'string') return []
        try {
          canonicalContent(type, one, zone)
          return []
        } catch (error) {
          if (!(error instanceof RangeError)) throw error
          return [{ path: i === undefined ? place : `${place}.${i}`, message: `${type}: ${error.message}` }]
        }
      },
    ),
  )
}

/** Contents that do not go together in one set, where all of them are known. */
function togetherProblems(zone: ZoneSpec, { name, type, ...spec }: RecordSpec, path: string): Problem[] {
  const values = [spec.value ?? [], (spec.answers ?? []).map(({ value }) => value)].flat(3)
  if (!values.every((value) => typeof value === 'string')) return []
  try {
    served({ name, type, owner: 'blueprint', ttl: spec.ttl ?? zone.ttl, spec }, zone.zone)
    return []
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return [{ path, message: `${type}: ${error.message}` }]
  }
}

/** One component of PowerDNS machines. What records refer to are references, so that they follow the deployment. */
export function plan({ name, spec }: { name: string; spec: DnsSpec }): ToolkitPlan {
  const component: ResolvedComponent = {
    name,
    recipe: 'powerdns',
    service: 'dns',
    replicas: spec.nameservers,
    ...machinesOf(spec),
    env: {},
    settings: {
      zones: JSON.parse(JSON.stringify(zonesOf(spec))) as Value,
      overrides: { $ref: `overrides.${name}` },
      threads: Math.max(1, Math.ceil(spec.machine.cpu)),
    },
    update: { maxUnavailable: 1, drain: 0 },
    port: 53,
    health: { interval: 200, timeout: 2000, grace: 60_000 },
    names: true,
    entrance: true,
  }
  return { components: [component], members: [], lingers: lingersOf(name, spec) }
}

/** How long an answer that names a component's machines may be kept: the longest TTL of the records that refer to it. */
function lingersOf(service: string, spec: DnsSpec): Record<string, number> {
  const lingers: Record<string, number> = {}
  const note = (owner: string, ms: number) => {
    lingers[owner] = Math.max(ms, lingers[owner] ?? 0)
  }
  for (const { ttl, records } of zonesOf(spec)) {
    note(service, ttl)
    for (const record of records)
      for (const reference of referencesIn(record as unknown as Value))
        note(referenceOwner(reference), record.ttl ?? ttl)
  }
  return lingers
}
