import type { z } from 'zod'
import { KitbagError } from '../../../model/errors.ts'
import type { ReadContext, ToolkitRoute } from '../../contract.ts'
import { absoluteName } from '../name.ts'
import type { DnsParameters } from '../prepare.ts'
import { type DnsSpec, zonesOf } from '../schema.ts'
import { type KnownZone, knownZones } from '../zones.ts'

export type Route = ToolkitRoute<DnsSpec>
export type DnsContext = ReadContext<DnsSpec>
export type Change = Parameters<NonNullable<Route['change']>>[0]

/** The zone of a path. Throws `not-found` naming those that are there. */
export function findZone(zones: KnownZone[], name = ''): KnownZone {
  const wanted = absoluteName(name)
  const found = zones.find(({ spec }) => spec.zone === wanted)
  if (found) return found
  const known = zones.map(({ spec }) => spec.zone)
  const more = known.length > 20 ? `, and ${known.length - 20} more` : ''
  throw new KitbagError(
    'not-found',
    `there is no zone ${name}; there are: ${known.slice(0, 20).join(', ') || 'none'}${more}`,
  )
}

/** Zones as they are served, what they refer to resolved. */
export async function servedZones(context: DnsContext): Promise<KnownZone[]> {
  const { zones, overrides } = (await context.parameters()) as unknown as DnsParameters
  return knownZones(zones, overrides)
}

/** Zones that a change is about, what the blueprint refers to not resolved. */
export function wantedZones({ spec, overrides }: Pick<Change, 'spec' | 'overrides'>): KnownZone[] {
  return knownZones(zonesOf(spec), overrides)
}

/** A body by the blueprint's own rules. Throws `invalid-request` with every problem. */
export function readBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const { success, data, error } = schema.safeParse(body)
  if (success) return data
  const problems = error.issues.map(({ path, message }) => ({ path: path.join('.'), message }))
  const text = problems.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join('; ')
  throw new KitbagError('invalid-request', text, { problems })
}
