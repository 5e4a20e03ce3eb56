import { z } from 'zod'
import { KitbagError } from '../../../model/errors.ts'
import type { JsonObject } from '../../../model/json.ts'
import { zoneStates } from '../query.ts'
import { mixedNames, recordSets } from '../record-set.ts'
import { zoneContents } from '../rendered-zone.ts'
import { nameserverNames, zoneText } from '../zone-file.ts'
import { importZone } from '../zone-import.ts'
import { recordKey } from '../zones.ts'
import { findZone, type Route, servedZones, wantedZones } from './read.ts'

export const read: Route = {
  id: 'zone.export',
  method: 'get',
  path: '/zones/{zone}/file',
  summary: 'The zone as a zone file; sets that choose an answer as all that they may answer',
  response: z.object({ text: z.string() }),
  cli: [{ name: 'export', summary: 'Print a zone as a zone file', text: 'text' }],
  async read(context, params) {
    const zone = findZone(await servedZones(context), params.zone)
    const { zone: name, ttl } = zone.spec
    const [node] = context.machines
    const [state] = node ? await zoneStates(context.reach, node, [name]) : []
    const nameservers = (await context.outside()).map(({ address, addresses = [address] }) => addresses)
    const sets = zoneContents(zone)
    return { text: zoneText({ zone: name, ttl: Math.round(ttl / 1000), sets, nameservers }, state?.serial ?? 0) }
  },
}

/** Bytes of a zone file with its JSON: some 500,000 records. */
const largestFile = 16 * 2 ** 20

export const take: Route = {
  id: 'zone.import',
  method: 'post',
  path: '/zones/{zone}/file',
  summary: "Takes over the record sets of a zone file; the blueprint's own stay as they are",
  body: z.strictObject({ text: z.string() }),
  bodyLimit: largestFile,
  response: z.object({}),
  cli: [{ name: 'import', summary: 'Take over the record sets of a zone file', file: 'text' }],
  change({ spec, params, body, overrides }) {
    const zone = findZone(wantedZones({ spec, overrides }), params.zone)
    const { zone: name } = zone.spec
    const there = recordSets(zone)
    const kept = new Set(there.filter(({ owner }) => owner !== 'api').map((set) => `${set.name} ${set.type}`))
    const own = nameserverNames({ zone: name, nameservers: Array(spec.nameservers).fill([]) })
    const sets = importZone(String(body.text), name, own).filter((set) => !kept.has(`${set.name} ${set.type}`))
    const taken = new Set(sets.map((set) => `${set.name} ${set.type}`))
    const [mixed] = mixedNames([...there.filter((set) => !taken.has(`${set.name} ${set.type}`)), ...sets])
    if (mixed !== undefined)
      throw new KitbagError('conflict', `${mixed} would have a CNAME and other records (RFC 1034, 3.6.2)`)
    return Object.fromEntries(
      sets.map(({ name: owner, type, ttl, values }) => [
        recordKey(name, owner, type),
        { value: values, ttl, owner: 'api' } as unknown as JsonObject,
      ]),
    )
  },
}
