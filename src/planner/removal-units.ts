import type { ResolvedComponent } from '../model/blueprint.ts'
import type { MachineRecord } from '../model/machine.ts'
import {
  type ChangeContext,
  endOf,
  endUnit,
  gone,
  mayServe,
  namersOf,
  nodesReady,
  servicesOf,
  servingUnits,
} from './change-context.ts'
import type { Fate } from './fate.ts'
import { unitId } from './units.ts'

/** Machines that go: out of traffic, then destroyed. */
export function addRemovals(context: ChangeContext, { component, remove }: Fate): void {
  const { units, world, input } = context
  const lingers = world.lingers.get(component.name)
  for (const { machine, reasons } of remove) {
    const target = { component: component.name, machine: machine.name }
    const reason = reasons[0]?.message ?? 'not needed any more'
    const kind = endOf(input, machine)
    // Nobody was told of one that never served, and one that is let go still answers.
    const wait = kind === 'destroy' && mayServe(machine) ? lingers : undefined
    const end = units.add(kind, target, reason, wait ? { wait } : {})
    if (!mayServe(machine)) continue
    for (const service of servicesOf(context, component.name)) {
      const leave = units.add('leave', target, reason, { service })
      units.need(leave, nodesReady(context, service))
      units.need(end, [leave])
    }
  }
}

/** Machines of a component that is no more. Nobody's files name them once everything else has settled. */
export function addOrphan({ units, input }: ChangeContext, machine: MachineRecord): void {
  const kind = endOf(input, machine)
  const gone = input.release ? 'the blueprint does not have it any more' : 'nothing shall be left'
  const reason = input.kind === 'forget' ? 'it is to be forgotten' : gone
  units.add(kind, { component: machine.component, machine: machine.name }, reason)
}

/**
 * A machine goes when its component is whole without it, its traffic has ended, and nobody's files name it any more. Whose files did name
 * it in the release before, or in one that failed, is not known for sure; so everything that this plan configures is healthy first.
 */
export function orderRemovals(context: ChangeContext): void {
  const { units, fates, orphans } = context
  for (const fate of fates.values()) if (fate.remove.length > 0) orderRemoval(context, fate)
  const settled = [...fates.values()].flatMap(({ stay, create }) =>
    [...stay, ...create].map(({ name }) => unitId('ready', name)),
  )
  const going = [...fates.values()].flatMap(({ remove }) => remove.map(({ machine }) => machine))
  for (const { name } of [...going, ...orphans]) units.need(endUnit(context, name), settled)
}

function orderRemoval(context: ChangeContext, { component, stay, create }: Fate): void {
  const { units } = context
  const names = gone(context, component.name)
  const whole = [...stay, ...create].flatMap(({ name }) => servingUnits(context, component.name, name))
  const leaves = names.flatMap((name) =>
    servicesOf(context, component.name).map((service) => unitId('leave', name, service)),
  )
  for (const id of leaves) units.need(id, whole)
  const forgotten = namersOf(context, component.name).flatMap((namer) =>
    forgetting(context, namer, names, [...whole, ...leaves]),
  )
  for (const name of names) units.need(endUnit(context, name), [...whole, ...forgotten])
}

/**
 * Units after which a component's files do not name the machines any more: its configure in this plan where that leaves them out, else
 * a second one, as if they were gone already.
 */
function forgetting(context: ChangeContext, namer: ResolvedComponent, names: string[], needs: string[]): string[] {
  const { units, fates, updates, world } = context
  const fate = fates.get(namer.name)
  if (!fate) return []
  const service = world.services.find(({ name }) => name === namer.name)
  // A service may forget what is out of traffic for an update, so it is touched when all that it carries is back.
  const back = (service?.members ?? []).flatMap((member) =>
    [...(fates.get(member)?.stay ?? []), ...(fates.get(member)?.create ?? [])].map(({ name }) =>
      unitId('join', name, namer.name),
    ),
  )
  const running = fate.stay.filter(
    ({ name, status }) => status === 'ready' || status === 'installed' || units.has(unitId('configure', name)),
  )
  const stays = new Set(running.map(({ name }) => name))
  let before: string | undefined
  return [...running, ...fate.create].map(({ name: machine }) => {
    const first = units.get(unitId('configure', machine))?.without ?? []
    if (names.every((name) => first.includes(name))) return unitId('ready', machine)
    const id = `${machine}/configure/without`
    const known = units.get(id)
    if (known) known.without = [...new Set([...(known.without ?? []), ...names])].sort()
    else {
      const without = [...new Set([...first, ...names])].sort()
      const reason = `${names.join(', ')} will be gone`
      units.add('configure', { component: namer.name, machine }, reason, { id, without })
      if (stays.has(machine) && !updates.has(machine)) updates.set(machine, [{ message: reason }])
    }
    units.need(id, [...needs, ...back, unitId('ready', machine), ...servingUnits(context, namer.name, machine)])
    // An application is not touched everywhere at once; a service's nodes only drop what serves no more.
    if (before !== undefined && !service) units.need(id, [before])
    before = id
    return id
  })
}
