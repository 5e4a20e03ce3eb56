import { z } from 'zod'
import { KitbagError } from '../../../model/errors.ts'
import type { JsonObject } from '../../../model/json.ts'
import { absoluteName } from '../name.ts'
import { zoneStates } from '../query.ts'
import { recordSets } from '../record-set.ts'
import { zoneBody, zoneField } from '../schema.ts'
import { recordKey, zoneKeyOf } from '../zones.ts'
import { findZone, type Route, readBody, servedZones, wantedZones } from './read.ts'

export const list: Route = {
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
  async read({ reach, machines, ...context }) {
    const zones = await servedZones({ reach, machines, ...context })
    const names = zones.map(({ spec }) => spec.zone)
    const nodes = await Promise.all(machines.map((node) => zoneStates(reach, node, names)))
    return {
      zones: zones.map((zone, i) => {
        const states = nodes.flatMap((states) => states[i] ?? [])
        const serials = new Set(states.map(({ serial }) => serial))
        const [serial = null] = serials
        return {
          zone: zone.spec.zone,
          owner: zone.owner,
          sets: recordSets(zone).length,
          level: serials.size === 1 && serial !== null,
          serial,
          dnssec: zone.spec.dnssec,
          ds: [...new Set(states.flatMap(({ ds }) => ds))],
          nodes: states.map(({ ds: _, ...state }) => state),
        }
      }),
    }
  },
}

export const set: Route = {
  id: 'zones.set',
  method: 'put',
  path: '/zones/{zone}',
  summary: 'Makes a zone, or changes one that was made at run time',
  body: zoneBody,
  response: z.object({}),
  cli: [{ name: 'add-zone', summary: 'Make a zone, or change one: --set dnssec=true' }],
  change({ spec, params: { zone: name = '' }, body, overrides }) {
    const zone = absoluteName(name)
    if (zone === undefined || zone.startsWith('*'))
      throw new KitbagError('invalid-request', `${name} is no domain name such as shop.example`)
    refuseOfBlueprint(zone, wantedZones({ spec, overrides }))
    const { records: _, ...made } = readBody(zoneField, { ...body, zone })
    return { [zoneKeyOf(zone)]: made as unknown as JsonObject }
  },
}

export const remove: Route = {
  id: 'zones.remove',
  method: 'delete',
  path: '/zones/{zone}',
  summary: 'Removes a zone that was made at run time, with its records',
  response: z.object({}),
  cli: [{ name: 'remove-zone', summary: 'Remove a zone with its records' }],
  change({ spec, params, overrides }) {
    const zones = wantedZones({ spec, overrides })
    const { spec: found, changes } = findZone(zones, params.zone)
    refuseOfBlueprint(found.zone, zones)
    const keys = changes.map(({ name, type }) => recordKey(found.zone, name, type))
    return Object.fromEntries([zoneKeyOf(found.zone), ...keys].map((key) => [key, null]))
  },
}

function refuseOfBlueprint(zone: string, zones: ReturnType<typeof wantedZones>): void {
  if (zones.some(({ spec, owner }) => spec.zone === zone && owner === 'blueprint'))
    throw new KitbagError('conflict', `${zone} belongs to the blueprint`, { fix: 'Change it there and deploy.' })
}
