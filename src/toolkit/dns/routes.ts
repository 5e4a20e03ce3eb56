import { z } from 'zod'
import { KitbagError } from '../../model/errors.ts'
import type { JsonObject } from '../../model/json.ts'
import type { ReadContext, ToolkitRoute } from '../contract.ts'
import { absoluteName, ownerName } from './name.ts'
import { type DnsParameters, zoneContents } from './prepare.ts'
import { zoneState } from './query.ts'
import { canonicalContent, recordTypes } from './rdata.ts'
import { mixedNames, type Overrides, recordKey, recordSets, setProblems } from './record-set.ts'
import { type DnsSpec, recordSetBody, recordSetField, type ZoneSpec, zoneBody, zoneField, zonesOf } from './schema.ts'
import { zoneText } from './zone-file.ts'
import { importZone } from './zone-import.ts'
import { allZones, zoneKeyOf } from './zones.ts'

type Route = ToolkitRoute<DnsSpec>

function findZone(zones: ZoneSpec[], name: string): ZoneSpec {
  const wanted = absoluteName(name)
  const found = zones.find(({ zone }) => zone === wanted)
  if (found) return found
  const known = zones.map(({ zone }) => zone).join(', ') || 'none'
  throw new KitbagError('not-found', `there is no zone ${name}; there are: ${known}`)
}

async function parametersOf(context: ReadContext<DnsSpec>): Promise<DnsParameters> {
  return (await context.parameters()) as unknown as DnsParameters
}

async function readZone(context: ReadContext<DnsSpec>, name: string) {
  const { zones, overrides } = await parametersOf(context)
  const spec = findZone(allZones(zones, overrides), name)
  return { spec, sets: zoneContents(spec, overrides) }
}

/** A body by the blueprint's own rules. Throws `invalid-request` with every problem. */
function read<T>(schema: z.ZodType<T>, body: unknown): T {
  const { success, data, error } = schema.safeParse(body)
  if (success) return data
  const problems = error.issues.map(({ path, message }) => ({ path: path.join('.'), message }))
  throw new KitbagError('invalid-request', problems.map(({ path, message }) => `${path}: ${message}`).join('; '), {
    problems,
  })
}

const zonesRoute: Route = {
  id: 'zones',
  method: 'get',
  path: '/zones',
  summary: 'Zones, with the serial and the DS records that each node answers',
  response: z.object({
    zones: z.array(
      z.object({
        zone: z.string(),
        owner: z.enum(['blueprint', 'api']),
        sets: z.int().describe('Record sets'),
        level: z.boolean().describe('Every node serves it with the same serial'),
        serial: z.int().nullable().describe('null where it is not served'),
        dnssec: z.boolean(),
        ds: z.array(z.string()).describe('For the parent zone'),
        nodes: z.array(z.object({ node: z.string(), serial: z.int().nullable(), error: z.string().optional() })),
      }),
    ),
  }),
  cli: [{ name: 'zones', summary: 'Show zones, their serials and DS records' }],
  async read(context) {
    const { zones, overrides } = await parametersOf(context)
    const own = new Set(zones.map(({ zone }) => zone))
    return {
      zones: await Promise.all(
        allZones(zones, overrides).map(async (spec) => {
          const states = await Promise.all(context.machines.map((node) => stateOf(context, node, spec.zone)))
          const serials = new Set(states.map(({ serial }) => serial))
          const [serial = null] = serials
          return {
            zone: spec.zone,
            owner: own.has(spec.zone) ? 'blueprint' : 'api',
            sets: recordSets(spec, overrides).length,
            level: serials.size === 1 && serial !== null,
            serial,
            dnssec: spec.dnssec,
            ds: [...new Set(states.flatMap(({ ds }) => ds))],
            nodes: states.map(({ ds: _, ...state }) => state),
          }
        }),
      ),
    }
  },
}

async function stateOf({ reach }: ReadContext<DnsSpec>, node: ReadContext<DnsSpec>['machines'][number], zone: string) {
  try {
    return { node: node.name, ...(await zoneState(reach, node, zone)) }
  } catch (error) {
    return { node: node.name, serial: null, ds: [], error: (error as Error).message }
  }
}

const recordsRoute: Route = {
  id: 'records',
  method: 'get',
  path: '/zones/{zone}/records',
  summary: 'Record sets as they are served, each with who made it',
  response: z.object({
    records: z.array(
      z.object({
        name: z.string(),
        type: z.string(),
        ttl: z.int().describe('Seconds'),
        owner: z.enum(['blueprint', 'api', 'system']),
        routing: z.string().describe('simple, weighted, failover, nearest; `health` where addresses are checked'),
        value: z.string().describe('All contents, for people'),
        contents: z.array(z.string()),
      }),
    ),
  }),
  cli: [{ name: 'records', summary: 'Show the record sets of a zone' }],
  async read(context, { zone = '' }) {
    const { spec, sets } = await readZone(context, zone)
    const { overrides } = await parametersOf(context)
    const routing = new Map(recordSets(spec, overrides).map((set) => [`${set.name} ${set.type}`, set.spec]))
    return {
      records: sets.map(({ name, type, ttl, owner, contents }) => {
        const made = routing.get(`${name} ${type}`)
        const how = made?.routing ?? (made?.health ? 'health' : 'simple')
        return { name, type, ttl, owner, routing: how, value: contents.join(', '), contents }
      }),
    }
  },
}

const exportRoute: Route = {
  id: 'zone.export',
  method: 'get',
  path: '/zones/{zone}/file',
  summary: 'The zone as a zone file; sets that choose an answer as all that they may answer',
  response: z.object({ text: z.string() }),
  cli: [{ name: 'export', summary: 'Print a zone as a zone file', text: 'text' }],
  async read(context, { zone = '' }) {
    const { spec, sets } = await readZone(context, zone)
    const [first] = context.machines
    const serial = first ? ((await stateOf(context, first, spec.zone)).serial ?? 0) : 0
    const nameservers = context.machines.map(({ address }) => address)
    return { text: zoneText({ zone: spec.zone, ttl: Math.round(spec.ttl / 1000), sets, nameservers }, serial) }
  },
}

/** The set that a change names, and what of it is there. Only what was made at run time is changed at run time. */
function target(
  spec: DnsSpec,
  overrides: Overrides,
  { zone: wanted = '', name = '', type: given = '' }: Record<string, string>,
) {
  const zone = findZone(allZones(zonesOf(spec), overrides), wanted)
  const type = given.toUpperCase()
  if (!recordTypes.includes(type))
    throw new KitbagError('invalid-request', `there is no record type ${given}; there are: ${recordTypes.join(', ')}`)
  const owner = ownerName(name, zone.zone)
  if (owner === undefined) throw new KitbagError('invalid-request', `${name} is no name in the zone ${zone.zone}`)
  const found = recordSets(zone, overrides).find((set) => set.name === owner && set.type === type)
  if (found?.owner === 'blueprint')
    throw new KitbagError('conflict', `${owner} ${type} belongs to the blueprint`, {
      fix: 'Change it there and deploy.',
    })
  return { zone, name: owner, type, key: recordKey(zone.zone, owner, type), found }
}

const setRoute: Route = {
  id: 'records.set',
  method: 'put',
  path: '/zones/{zone}/records/{name}/{type}',
  summary: 'Makes or replaces a record set; it stays until it is removed, whatever is deployed',
  body: recordSetBody,
  response: z.object({}),
  cli: [{ name: 'set', summary: 'Make or replace a record set: --set value=192.0.2.1 --set ttl=60s' }],
  change({ spec, params, body, overrides }) {
    const { zone, name, type, key } = target(spec, overrides, params)
    const set = read(recordSetField, body)
    const problems = setProblems(zone.zone, name, type, set)
    const [first] = problems
    if (first) throw new KitbagError('invalid-request', `${name} ${type}: ${first.message}`, { problems })
    checkContents(zone, type, set)
    const others = recordSets(zone, overrides).filter((other) => other.name !== name || other.type !== type)
    if (mixedNames([...others, { name, type }]).includes(name))
      throw new KitbagError('conflict', `${name} would have a CNAME and other records (RFC 1034, 3.6.2)`)
    return { [key]: { ...set, owner: 'api' } as unknown as JsonObject }
  },
}

function checkContents({ zone }: ZoneSpec, type: string, { value, answers }: z.output<typeof recordSetField>): void {
  for (const one of [value ?? [], (answers ?? []).map((answer) => answer.value)].flat(3)) {
    if (typeof one !== 'string')
      throw new KitbagError('invalid-request', 'references belong into the blueprint; here a value is a text')
    try {
      canonicalContent(type, one, zone)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      throw new KitbagError('invalid-request', `${type}: ${error.message}`)
    }
  }
}

const removeRoute: Route = {
  id: 'records.remove',
  method: 'delete',
  path: '/zones/{zone}/records/{name}/{type}',
  summary: 'Removes a record set that was made at run time',
  response: z.object({}),
  cli: [{ name: 'remove', summary: 'Remove a record set' }],
  change({ spec, params, overrides }) {
    const { key, found, name, type } = target(spec, overrides, params)
    if (!found) throw new KitbagError('not-found', `there is no record set ${name} ${type}`)
    return { [key]: null }
  },
}

const importRoute: Route = {
  id: 'zone.import',
  method: 'post',
  path: '/zones/{zone}/file',
  summary: "Takes over the record sets of a zone file; the blueprint's own stay as they are",
  body: z.strictObject({ text: z.string().max(16_000_000) }),
  response: z.object({}),
  cli: [{ name: 'import', summary: 'Take over the record sets of a zone file', file: 'text' }],
  change({ spec, params, body, overrides }) {
    const zone = findZone(allZones(zonesOf(spec), overrides), params.zone ?? '')
    const taken = new Set(recordSets(zone, {}).map((set) => `${set.name} ${set.type}`))
    const sets = importZone(String(body.text), zone.zone).filter(({ name, type }) => !taken.has(`${name} ${type}`))
    const [mixed] = mixedNames([...recordSets(zone, {}), ...sets])
    if (mixed !== undefined)
      throw new KitbagError('conflict', `${mixed} would have a CNAME and other records (RFC 1034, 3.6.2)`)
    return Object.fromEntries(
      sets.map(({ name, type, ttl, values }) => [
        recordKey(zone.zone, name, type),
        { value: values, ttl, owner: 'api' } as unknown as JsonObject,
      ]),
    )
  },
}

const addZoneRoute: Route = {
  id: 'zones.set',
  method: 'put',
  path: '/zones/{zone}',
  summary: 'Makes a zone, or changes one that was made at run time',
  body: zoneBody,
  response: z.object({}),
  cli: [{ name: 'add-zone', summary: 'Make a zone' }],
  change({ spec, params, body }) {
    const zone = absoluteName(params.zone ?? '')
    if (zone === undefined || !zone.includes('.') || zone.startsWith('*'))
      throw new KitbagError('invalid-request', `${params.zone} is no domain name such as shop.example`)
    if (zonesOf(spec).some((own) => own.zone === zone))
      throw new KitbagError('conflict', `${zone} belongs to the blueprint`, { fix: 'Change it there and deploy.' })
    const { records: _, ...made } = read(zoneField, { ...body, zone })
    return { [zoneKeyOf(zone)]: made as unknown as JsonObject }
  },
}

const removeZoneRoute: Route = {
  id: 'zones.remove',
  method: 'delete',
  path: '/zones/{zone}',
  summary: 'Removes a zone that was made at run time, with its records',
  response: z.object({}),
  cli: [{ name: 'remove-zone', summary: 'Remove a zone with its records' }],
  change({ spec, params, overrides }) {
    const { zone } = findZone(allZones(zonesOf(spec), overrides), params.zone ?? '')
    if (zonesOf(spec).some((own) => own.zone === zone))
      throw new KitbagError('conflict', `${zone} belongs to the blueprint`, { fix: 'Remove it there and deploy.' })
    const keys = Object.keys(overrides).filter((key) => key.startsWith(`${zone} `))
    return Object.fromEntries([zoneKeyOf(zone), ...keys].map((key) => [key, null]))
  },
}

export const routes: Route[] = [
  zonesRoute,
  addZoneRoute,
  removeZoneRoute,
  recordsRoute,
  setRoute,
  removeRoute,
  exportRoute,
  importRoute,
]
