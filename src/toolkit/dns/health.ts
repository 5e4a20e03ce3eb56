import type { HealthFinding, ToolkitService } from '../contract.ts'
import { type ZoneState, zoneStates } from './query.ts'
import { servedZones } from './routes/read.ts'
import type { DnsSpec } from './schema.ts'

/** Each zone: whether every node answers it, with one serial. */
export const health: NonNullable<ToolkitService<DnsSpec>['health']> = async (context) => {
  const zones = (await servedZones(context)).map(({ spec }) => spec.zone)
  const { reach, machines } = context
  const nodes = await Promise.all(machines.map((node) => zoneStates(reach, node, zones)))
  return zones.map((zone, i) => {
    const states = nodes.flatMap((states) => states[i] ?? [])
    return finding(zone, states)
  })
}

function finding(subject: string, states: ZoneState[]): HealthFinding {
  const missing = states.filter(({ serial }) => serial === null).map(({ node }) => node)
  const serials = [...new Set(states.flatMap(({ serial }) => serial ?? []))]
  if (serials.length === 0) return { subject, status: 'down', message: 'no node answers it' }
  if (missing.length > 0)
    return { subject, status: 'degraded', message: `not answered by ${missing.join(', ')}; the others have it` }
  if (serials.length > 1) {
    const newest = Math.max(...serials)
    const behind = states.filter(({ serial }) => serial !== newest).map(({ node }) => node)
    return { subject, status: 'degraded', message: `behind on ${behind.join(', ')}: an older serial than ${newest}` }
  }
  return { subject, status: 'healthy', message: `serial ${serials[0]} on ${states.length} nodes` }
}
