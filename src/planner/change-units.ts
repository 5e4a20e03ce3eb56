import type { MachineRecord, ResolvedMachineSpec } from '../model/machine.ts'
import type { Unit } from '../model/plan.ts'
import { type ChangeContext, made, namedBy, type Reasons, servicesOf } from './change-context.ts'
import { addCreates } from './create-units.ts'
import { type Expanded, expand } from './expand.ts'
import type { Fate } from './fate.ts'
import { addClosings, addOpenings, orderOpenings } from './firewall-units.ts'
import { componentNamed, linksOf, reaches } from './links.ts'
import type { PlanInput } from './plan-input.ts'
import { addOrphan, addRemovals, orderRemovals } from './removal-units.ts'
import { orderSharers } from './shared-machines.ts'
import { UnitList, unitId } from './units.ts'
import { addMigration, addUpdates, forgottenAtOnce, orderUpdates } from './update-units.ts'

/** Units of a change and the reasons of updates: machines first, then configuration in the order that facts and traffic ask for. */
export function changeUnits(
  input: PlanInput,
  world: Expanded,
  fates: Fate[],
  orphans: MachineRecord[],
  specs: Map<string, ResolvedMachineSpec>,
): { units: Unit[]; updates: Map<string, Reasons> } {
  const byName = new Map(fates.map((fate) => [fate.component.name, fate]))
  const formers = formersOf(input)
  const units = new UnitList()
  const context: ChangeContext = { input, world, formers, fates: byName, orphans, units, updates: new Map() }
  for (const fate of fates) addCreates(context, fate, specs)
  for (const fate of fates) addUpdates(context, fate)
  for (const fate of fates) addMigration(context, fate)
  for (const fate of fates) addRemovals(context, fate)
  for (const machine of orphans) addOrphan(context, machine)
  for (const fate of fates) addOpenings(context, fate)
  for (const fate of fates) joinFacts(context, fate)
  for (const fate of fates) orderOpenings(context, fate)
  for (const fate of fates) orderUpdates(context, fate)
  orderRemovals(context)
  orderSharers(context)
  for (const fate of fates) addClosings(context, fate)
  return { units: units.finish(), updates: context.updates }
}

function formersOf({ current, leaving, toolkit, overrides }: PlanInput): ChangeContext['formers'] {
  return [current, leaving]
    .filter((release) => release !== undefined)
    .map((release) => ({ ...release, components: expand(release.spec, toolkit, overrides).components }))
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
  if (isNewService(context, user)) return []
  if (waitsForService(context, user, name)) return made(context, name)
  return context.units.of('ready', name).map(({ machine }) => machine)
}

/**
 * A service none of whose machines was there before: nobody comes to it yet, so it need not wait for what it will send them to, and is set up
 * while that is installed.
 */
function isNewService({ world, fates }: ChangeContext, name: string): boolean {
  const { stay = [], remove = [] } = fates.get(name) ?? {}
  return componentNamed(world.components, name)?.service !== undefined && stay.length + remove.length === 0
}

/**
 * Members in an update leave their service when its new members have joined, which a service can only let them when it is configured with
 * all that it carries. So neither the service nor what it carries, or what those use, can wait for members in an update.
 */
function waitsForService(context: ChangeContext, user: string, member: string): boolean {
  const { components } = context.world
  return servicesOf(context, member).some((service) => service === user || reaches(components, service, user))
}
