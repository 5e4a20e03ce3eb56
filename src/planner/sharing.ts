import { placeOf, type ResolvedComponent } from '../model/blueprint.ts'
import { KitbagError, type Problem } from '../model/errors.ts'
import type { ReleaseSpec } from '../model/release.ts'
import { ownPortsOf } from './admissions.ts'
import type { Expanded } from './expand.ts'
import { guestsOf } from './links.ts'
import type { PlanInput } from './plan-input.ts'

/**
 * Components on one machine share its ports and its daemons. Throws `not-supported` with every place where two want the same, and for more
 * machines than there are to share.
 */
export function refuseSharing({ release, kind }: PlanInput, { components }: Expanded): void {
  if (kind === 'undo' || !release) return
  const { recipes } = release.spec
  const problems = components.flatMap((owner) => {
    const guests = guestsOf(components, owner.name)
    if (guests.length === 0) return []
    return [
      ...guests.flatMap((guest) => crowdProblems(owner, guest)),
      ...portProblems(recipes, [owner, ...guests]),
      ...daemonProblems(recipes, [owner, ...guests]),
    ]
  })
  const [first] = problems
  if (first)
    throw new KitbagError('not-supported', `${first.path}: ${first.message}`, {
      problems,
      fix: 'Leave `placement.with` out, so that it has machines of its own; or change what both of them want.',
    })
}

function crowdProblems(owner: ResolvedComponent, guest: ResolvedComponent): Problem[] {
  if (guest.replicas <= owner.replicas) return []
  const message = `${guest.name} needs ${guest.replicas} machines of ${owner.name}, which has ${owner.replicas}`
  return [{ path: `${placeOf(guest)}.placement.with`, message, found: owner.name }]
}

/** The first to want a port has it; every other one is told who that is. */
function portProblems(recipes: ReleaseSpec['recipes'], sharers: ResolvedComponent[]): Problem[] {
  const taken = new Map<string, string>()
  return sharers.flatMap((component) => {
    const place = placeOf(component)
    return doorsOf(recipes, component).flatMap((door): Problem[] => {
      const other = taken.get(door)
      if (other === undefined) taken.set(door, place)
      if (other === undefined || other === place) return []
      const message = `${place} and ${other} share a machine, and both listen on ${door}`
      return [{ path: `${place}.placement.with`, message, found: door }]
    })
  })
}

/** `port 80`, `port 53 (udp)`: all that a component's own recipe and what else runs on its machines listen on. */
function doorsOf(recipes: ReleaseSpec['recipes'], component: ResolvedComponent): string[] {
  const { recipe, metrics, extras = [] } = component
  const inside = [recipe, ...extras.map((extra) => extra.recipe)].flatMap((name) => recipes[name]?.loopback ?? [])
  const doors = [
    ...ownPortsOf({ recipes }, component),
    ...[...(metrics ? [metrics.port] : []), ...inside].map((port) => ({ protocol: 'tcp', port })),
  ]
  return [...new Set(doors.map(({ protocol, port }) => `port ${port}${protocol === 'udp' ? ' (udp)' : ''}`))]
}

/** An application has files of its own name; a daemon of the distribution is on a machine once. */
function daemonProblems(recipes: ReleaseSpec['recipes'], sharers: ResolvedComponent[]): Problem[] {
  return sharers.flatMap((component, i): Problem[] => {
    const other = sharers.slice(0, i).find(({ recipe }) => recipe === component.recipe)
    if (!other || recipes[component.recipe]?.kind === 'application') return []
    const message = `${placeOf(component)} and ${placeOf(other)} share a machine, and both are ${component.recipe}, which it can have once`
    return [{ path: `${placeOf(component)}.placement.with`, message, found: component.recipe }]
  })
}
