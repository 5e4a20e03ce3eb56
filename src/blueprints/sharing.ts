import type { Placement, ResolvedComponent, ResolvedService } from '../model/blueprint.ts'
import type { Path } from './path.ts'
import type { Problems } from './problems.ts'
import type { ServiceEntry } from './services.ts'

/** Something that has machines, or shares those of another. */
interface Household {
  name: string
  path: Path
  /** As it is written. */
  value: unknown
  with?: string
}

/** Components, each of which has machines. */
export function componentHouseholds(values: Record<string, unknown>, resolved: ResolvedComponent[]): Household[] {
  return resolved.map(({ name, placement }) => ({
    name,
    path: ['components', name],
    value: values[name],
    ...(placement.with !== undefined && { with: placement.with }),
  }))
}

/** Services with machines: those whose section says what these are like. */
export function serviceHouseholds(entries: ServiceEntry[], services: ResolvedService[]): Household[] {
  return services.flatMap(({ name, spec }) => {
    const entry = entries.find((one) => one.name === name)
    if (!entry || spec.machine === undefined) return []
    const { with: host } = (spec.placement ?? {}) as Placement
    return [{ name, path: entry.path, value: entry.value, ...(host !== undefined && { with: host }) }]
  })
}

/** Who shares machines shares those of somebody who has some, and says nothing of what they are like. */
export function checkSharing(households: Household[], problems: Problems): void {
  const byName = new Map(households.map((one) => [one.name, one]))
  for (const { name, path, value, with: host } of households) {
    if (host === undefined) continue
    const at = [...path, 'placement', 'with']
    const other = byName.get(host)
    const allowed = households.filter((one) => one.with === undefined && one.name !== name).map((one) => one.name)
    if (!other) problems.add(at, `there is nothing with machines that is called ${host}`, { unknown: host, allowed })
    else if (host === name) problems.add(at, `${name} cannot share machines with itself`, { found: host, allowed })
    else if (other.with !== undefined)
      problems.add(at, `${host} shares the machines of ${other.with}: name ${other.with} here too`, { found: host })
    const { machine, placement } = value as { machine?: unknown; placement: Record<string, unknown> }
    if (machine !== undefined)
      problems.add([...path, 'machine'], `${name} shares the machines of ${host}, which says what they are like`, {
        at: 'key',
      })
    for (const field of ['cloud', 'region', 'zones', 'labels'])
      if (placement[field] !== undefined)
        problems.add([...path, 'placement', field], `${name} is where ${host} is`, { at: 'key' })
  }
}
