import { z } from 'zod'
import { KitbagError } from '../../../model/errors.ts'
import type { JsonObject } from '../../../model/json.ts'
import { type DomainName, ownerName } from '../name.ts'
import { recordTypes } from '../rdata.ts'
import { mixedNames, recordSets, setProblems } from '../record-set.ts'
import { zoneContents } from '../rendered-zone.ts'
import { recordSetBody, recordSetField } from '../schema.ts'
import { served } from '../zone-file.ts'
import { type KnownZone, recordKey } from '../zones.ts'
import { type Change, findZone, type Route, readBody, servedZones, wantedZones } from './read.ts'

export const list: Route = {
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
  async read(context, params) {
    const sets = zoneContents(findZone(await servedZones(context), params.zone))
    return {
      records: sets.map(({ name, type, ttl, owner, routing, contents }) => {
        return { name, type, ttl, owner, routing, value: contents.join(', '), contents }
      }),
    }
  },
}

/** The zone as if it had this name alone: a change of one name need not look at 100,000 others. */
function setsNamed({ spec, changes, ...zone }: KnownZone, name: DomainName): KnownZone {
  const records = spec.records.filter((record) => ownerName(record.name, spec.zone) === name)
  return { ...zone, spec: { ...spec, records }, changes: changes.filter((change) => change.name === name) }
}

/** The set that a change names. Only what was made at run time is changed at run time. */
function target({ spec, params, overrides }: Change) {
  const { zone: wanted, name: text = '', type: given = '' } = params
  const zone = findZone(wantedZones({ spec, overrides }), wanted)
  const type = given.toUpperCase()
  if (!recordTypes.includes(type))
    throw new KitbagError('invalid-request', `there is no record type ${given}; there are: ${recordTypes.join(', ')}`)
  const name = ownerName(text, zone.spec.zone)
  if (name === undefined) throw new KitbagError('invalid-request', `${text} is no name in the zone ${zone.spec.zone}`)
  const sets = recordSets(setsNamed(zone, name))
  const found = sets.find((set) => set.type === type)
  if (found && found.owner !== 'api') {
    const fix = found.owner === 'blueprint' ? { fix: 'Change it there and deploy.' } : {}
    throw new KitbagError('conflict', `${name} ${type} belongs to the ${found.owner}`, fix)
  }
  return { zone, sets, name, type, key: recordKey(zone.spec.zone, name, type), found }
}

export const set: Route = {
  id: 'records.set',
  method: 'put',
  path: '/zones/{zone}/records/{name}/{type}',
  summary: 'Makes or replaces a record set; it stays until it is removed, whatever is deployed',
  body: recordSetBody,
  response: z.object({}),
  cli: [{ name: 'set', summary: 'Make or replace a record set: --set value=192.0.2.1 --set ttl=60s' }],
  change(change) {
    const { zone, sets, name, type, key } = target(change)
    const spec = readBody(recordSetField, change.body)
    const problems = setProblems(zone.spec.zone, name, type, spec)
    const [first] = problems
    if (first) {
      const place = [`${name} ${type}`, first.path].filter(Boolean).join(' ')
      throw new KitbagError('invalid-request', `${place}: ${first.message}`, { problems })
    }
    try {
      served({ name, type, owner: 'api', ttl: spec.ttl ?? zone.spec.ttl, spec }, zone.spec.zone)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      throw new KitbagError('invalid-request', `${name} ${type}: ${error.message}`)
    }
    const others = sets.filter((other) => other.type !== type)
    if (mixedNames([...others, { name, type }]).length > 0)
      throw new KitbagError('conflict', `${name} would have a CNAME and other records (RFC 1034, 3.6.2)`)
    return { [key]: { ...spec, owner: 'api' } as unknown as JsonObject }
  },
}

export const remove: Route = {
  id: 'records.remove',
  method: 'delete',
  path: '/zones/{zone}/records/{name}/{type}',
  summary: 'Removes a record set that was made at run time',
  response: z.object({}),
  cli: [{ name: 'remove', summary: 'Remove a record set' }],
  change(change) {
    const { key, found, name, type } = target(change)
    if (!found) throw new KitbagError('not-found', `there is no record set ${name} ${type}`)
    return { [key]: null }
  },
}
