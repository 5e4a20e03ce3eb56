import type { MachineRecord, ResolvedMachineSpec } from '../model/machine.ts'
import type { Unit } from '../model/plan.ts'
import { type ChangeContext, made, namedBy, type Reasons, servicesOf } from './change-context.ts'
import { addCreates } from './create-units.ts'
import type { Expanded } from './expand.ts'
import type { Fate } from './fate.ts'
import { addAdmissions, orderAdmissions } from './firewall-units.ts'
import { componentNamed, linksOf, reaches } from './links.ts'
import type { PlanInput } from './plan-input.ts'
import { addOrphan, addRemovals, orderRemovals } from './removal-units.ts'
import { orderSharers } from './shared-machines.ts'
import { UnitList, unitId } from './units.ts'
import { addMigration, addUpdates, componentsBefore, forgottenAtOnce, orderUpdates } from './update-units.ts'

/** Units of a change and the reasons of updates: machines first, then configuration in the order that facts and traffic ask for. */
export function changeUnits(
  input: PlanInput,
  world: Expanded,
  fates: Fate[],
  orphans: MachineRecord[],
  specs: Map<string, ResolvedMachineSpec>,
): { units: Unit[]; updates: Map<string, Reasons> } {
  const byName = new Map(fates.map((fate) => [fate.component.name, fate]))
  const context: ChangeContext = { input, world, fates: byName, orphans, units: new UnitList(), updates: new Map() }
  const before = componentsBefore(input)
  for (const fate of fates) addCreates(context, fate, specs)
  for (const fate of fates) addUpdates(context, fate, before)
  for (const fate of fates) addMigration(context, fate)
  for (const fate of fates) addRemovals(context, fate)
  for (const machine of orphans) addOrphan(context, machine)
  for (const fate of fates) addAdmissions(context, fate)
  for (const fate of fates) joinFacts(context, fate)
  for (const fate of fates) orderAdmissions(context, fate)
  for (const fate of fates) orderUpdates(context, fate)
  orderRemovals(context)
  orderSharers(context)
  return { units: context.units.finish(), updates: context.updates }
}

/** Facts that a configure needs: addresses of all that its files name, and readiness of what it uses. */
function joinFacts(context: ChangeContext, { component }: Fate): void {
  const { units } = context
  const needs = new Set<string>()
  for (const name of namedBy(context, component)) {
    for (const machine of made(context, name)) needs.add(unitId('create', machine))
  }
  for (const name of linksOf(context.world.components, component.name)) {
    for (const machine of readyFirst(context, component.name, name)) needs.add(unitId('ready', machine))
  }
  const without = forgottenAtOnce(context, component.name).flatMap(({ machines }) => machines)
  for (const unit of [...units.of('configure', component.name), ...units.of('migrate', component.name)]) {
    if (unit.only !== undefined) continue
    units.need(unit.id, needs)
    if (without.length > 0) unit.without = [...without].sort()
  }
}

/** Machines of a component that have to be healthy before its user is configured. */
function readyFirst(context: ChangeContext, user: string, name: string): string[] {
  // Two that use each other wait for addresses only; else neither could begin.
  if (reaches(context.world.components, name, user)) return []
  // One that only looks at it is told where it is, and sees for itself when it is there.
  if (componentNamed(context.world.components, user)?.observer) return []
  if (waitsForService(context, user, name)) return made(context, name)
  return context.units.of('ready', name).map(({ machine }) => machine)
}

/**
 * Members in an update leave their service when its new members have joined, which a service can only let them when it is configured with
 * all that it carries. So neither the service nor what it carries, or what those use, can wait for members in an update.
 */
function waitsForService(context: ChangeContext, user: string, member: string): boolean {
  const { components } = context.world
  return servicesOf(context, member).some((service) => service === user || reaches(components, service, user))
}
