import type { ResolvedComponent } from '../model/blueprint.ts'
import { KitbagError } from '../model/errors.ts'
import type { MachineRecord, ResolvedMachineSpec } from '../model/machine.ts'
import type { Change, Unit } from '../model/plan.ts'
import { configureDigest, installDigest, migrationDigest, type World } from './digests.ts'
import { type Expanded, expand } from './expand.ts'
import { cloudIdOf, type Fate } from './fate.ts'
import { consumersOf, linksOf, reaches } from './links.ts'
import type { PlanInput } from './plan-input.ts'
import { componentDifferences } from './reasons.ts'
import { UnitList, unitId } from './units.ts'

type Reasons = Change['reasons']

interface Context {
  input: PlanInput
  world: Expanded
  fates: Map<string, Fate>
  orphans: MachineRecord[]
  units: UnitList
  /** Machine -> why it is touched. */
  updates: Map<string, Reasons>
}

/** Units of a change and the reasons of updates: machines first, then configuration in the order that facts and traffic ask for. */
export function changeUnits(
  input: PlanInput,
  world: Expanded,
  fates: Fate[],
  orphans: MachineRecord[],
  specs: Map<string, ResolvedMachineSpec>,
): { units: Unit[]; updates: Map<string, Reasons> } {
  const context: Context = {
    input,
    world,
    fates: new Map(fates.map((fate) => [fate.component.name, fate])),
    orphans,
    units: new UnitList(),
    updates: new Map(),
  }
  for (const fate of fates) addCreates(context, fate, specs)
  for (const fate of fates) addUpdates(context, fate)
  for (const fate of fates) addMigration(context, fate)
  for (const fate of fates) addRemovals(context, fate)
  for (const machine of orphans) addOrphan(context, machine)
  for (const fate of fates) joinFacts(context, fate)
  for (const fate of fates) orderUpdates(context, fate)
  orderRemovals(context)
  return { units: context.units.finish(), updates: context.updates }
}

const servicesOf = ({ world }: Context, component: string) =>
  world.services.filter(({ members }) => members.includes(component)).map(({ name }) => name)

function addCreates({ input, units, ...rest }: Context, fate: Fate, specs: Map<string, ResolvedMachineSpec>): void {
  const { component } = fate
  for (const { name, ordinal, row, reasons } of fate.create) {
    const spec = row?.spec ?? specs.get(name)
    if (!spec) throw new KitbagError('internal', `no specification was resolved for ${name}`)
    const target = { component: component.name, machine: name }
    const reason = reasons[0]?.message ?? 'new'
    const stateful = input.release?.spec.recipes[component.recipe]?.stateful ?? false
    const create = units.add('create', target, reason, {
      create: { ordinal, cloud: row?.cloudId ?? cloudIdOf(input, component), spec, stateful },
    })
    const install = units.add('install', target, reason)
    const configure = units.add('configure', target, reason)
    const ready = units.add('ready', target, reason)
    units.need(install, [create])
    units.need(configure, [install])
    units.need(ready, [configure])
    for (const service of servicesOf({ input, units, ...rest }, component.name)) {
      units.need(units.add('join', target, reason, { service }), [ready, ...readyOf(rest.fates, service)])
    }
  }
}

/** Ids of the ready units that a service's machines may have in this plan. */
function readyOf(fates: Map<string, Fate>, component: string): string[] {
  const fate = fates.get(component)
  return fate
    ? [...fate.create.map(({ name }) => name), ...fate.stay.map(({ name }) => name)].map((name) =>
        unitId('ready', name),
      )
    : []
}

/** Components that this one's files speak of. */
function neighbours({ world }: Context, component: ResolvedComponent): string[] {
  return [...new Set([...linksOf(world.components, component), ...consumersOf(world.components, component.name)])]
}

function addUpdates(context: Context, fate: Fate): void {
  const { input, world, units, fates } = context
  const { release, current } = input
  if (!release) return
  const { component } = fate
  const now: World = {
    release: release.spec,
    components: world.components,
    machines: input.machines,
    overrides: input.overrides,
  }
  const before = current && findComponent(input, current.spec, component.name)
  const differences = componentDifferences(current, release, before, component)
  const moved = neighbours(context, component).filter((name) => (fates.get(name)?.create.length ?? 0) > 0)
  for (const machine of fate.stay) {
    const target = { component: component.name, machine: machine.name }
    const install = machine.drifted || machine.installDigest !== installDigest(release.spec, component)
    const stale = machine.configureDigest !== configureDigest(now, component, machine)
    if (!install && !stale && moved.length === 0) continue
    const reasons = reasonsOf(machine, differences, moved)
    context.updates.set(machine.name, reasons)
    const reason = reasons[0]?.message ?? 'its configuration changed'
    if (install) units.add('install', target, reason)
    addConfigure(context, component, machine, reason)
  }
}

function reasonsOf(machine: MachineRecord, differences: Reasons, moved: string[]): Reasons {
  if (machine.drifted) return [{ message: 'check found it different from what was applied' }, ...differences]
  const made = moved.map((name) => ({ message: `${name} gets new machines` }))
  if (machine.configureDigest === null || machine.installDigest === null)
    return [{ message: 'its last change was not finished' }, ...differences, ...made]
  const reasons = [...differences, ...made]
  return reasons.length > 0 ? reasons : [{ message: 'what it refers to changed' }]
}

function findComponent(
  input: PlanInput,
  spec: NonNullable<PlanInput['release']>['spec'],
  name: string,
): ResolvedComponent | undefined {
  return expand(spec, input.toolkit, input.overrides).components.find((component) => component.name === name)
}

/** configure + ready of a running machine, taken out of traffic around it when others can carry it meanwhile. */
function addConfigure(context: Context, component: ResolvedComponent, machine: MachineRecord, reason: string): void {
  const { units, fates } = context
  const target = { component: component.name, machine: machine.name }
  const configure = units.add('configure', target, reason)
  units.need(configure, [unitId('install', machine.name)])
  const ready = units.add('ready', target, reason)
  units.need(ready, [configure])
  const fate = fates.get(component.name)
  const alone = fate ? fate.stay.length + fate.create.length === 1 : true
  for (const service of servicesOf(context, component.name)) {
    if (!alone && machine.status === 'ready') {
      const leave = units.add('leave', target, reason, { service })
      units.need(leave, [unitId('install', machine.name)])
      units.need(configure, [leave])
    }
    units.need(units.add('join', target, reason, { service }), [ready, ...readyOf(fates, service)])
  }
}

/** Once per release, on the component's first machine, before any of its machines is configured. */
function addMigration(context: Context, { component, stay, create }: Fate): void {
  const { input, units } = context
  const { release, migrated } = input
  if (!release || component.migrate === undefined) return
  if (!release.spec.recipes[component.recipe]?.phases.includes('migrate')) return
  const links = linksOf(context.world.components, component)
  const fresh = links.some(
    (name) =>
      release.spec.recipes[context.fates.get(name)?.component.recipe ?? '']?.stateful &&
      (context.fates.get(name)?.create.length ?? 0) > 0,
  )
  const now = { release: release.spec, components: context.world.components, machines: input.machines }
  if (!fresh && migrated[component.name]?.includes(migrationDigest(now, component))) return
  const first = stay[0]?.name ?? create[0]?.name
  if (first === undefined) return
  const migrate = units.add(
    'migrate',
    { component: component.name, machine: first },
    'this release was not migrated to yet',
  )
  units.need(migrate, [unitId('install', first)])
  for (const unit of [...units.of('configure', component.name), ...units.of('leave', component.name)])
    units.need(unit.id, [migrate])
}

function addRemovals(context: Context, { component, remove }: Fate): void {
  const { units } = context
  for (const { machine, reasons } of remove) {
    const target = { component: component.name, machine: machine.name }
    const reason = reasons[0]?.message ?? 'not needed any more'
    const destroy = units.add('destroy', target, reason)
    if (machine.status !== 'ready') continue
    for (const service of servicesOf(context, component.name)) {
      units.need(destroy, [units.add('leave', target, reason, { service })])
    }
  }
}

function addOrphan({ units, input }: Context, machine: MachineRecord): void {
  const reason = input.release ? 'the blueprint does not have it any more' : 'nothing shall be left'
  units.add('destroy', { component: machine.component, machine: machine.name }, reason)
}

/** Facts that a configure needs: addresses of all that it speaks of, and readiness of what it uses. */
function joinFacts(context: Context, { component }: Fate): void {
  const { world, units, fates } = context
  const links = linksOf(world.components, component)
  const needs: string[] = []
  for (const name of neighbours(context, component)) {
    for (const made of fates.get(name)?.create ?? []) needs.push(unitId('create', made.name))
  }
  for (const name of links) {
    // Two that use each other wait for addresses only; else neither could begin.
    if (reaches(world.components, name, component.name)) continue
    // A service waits for new members; those in an update wait for it.
    const carries = world.services.some((service) => service.name === component.name && service.members.includes(name))
    const made = new Set(fates.get(name)?.create.map((machine) => machine.name))
    for (const unit of units.of('ready', name)) if (!carries || made.has(unit.machine)) needs.push(unit.id)
  }
  const replaced = links
    .filter(
      (name) => !world.services.some((service) => service.name === component.name && service.members.includes(name)),
    )
    .flatMap((name) => fates.get(name)?.remove.map(({ machine }) => machine.name) ?? [])
  for (const unit of [...units.of('configure', component.name), ...units.of('migrate', component.name)]) {
    units.need(unit.id, needs)
    if (replaced.length > 0) unit.without = replaced
  }
}

/** Batches: at most `maxUnavailable` machines of a component are out of service, and none before its new machines serve. */
function orderUpdates(context: Context, { component, stay, create }: Fate): void {
  const { units } = context
  const services = servicesOf(context, component.name)
  const end = (name: string) =>
    services.length > 0 ? services.map((service) => unitId('join', name, service)) : [unitId('ready', name)]
  const begin = (name: string) => {
    const leaves = services.map((service) => unitId('leave', name, service)).filter((id) => units.has(id))
    return leaves.length > 0 ? leaves : [unitId('configure', name)]
  }
  const touched = stay.filter(({ name }) => units.has(unitId('configure', name)))
  const serving = create.flatMap(({ name }) => end(name))
  const most = Math.max(1, component.update.maxUnavailable)
  const gated = services.length > 0
  touched.forEach(({ name }, index) => {
    const before = touched
      .slice(Math.max(0, index - (index % most) - most), index - (index % most))
      .flatMap((machine) => end(machine.name))
    for (const id of begin(name)) units.need(id, [...before, ...(gated ? serving : [])])
  })
}

/** A machine goes when its component is whole without it, its traffic has ended, and nobody's files speak of it any more. */
function orderRemovals(context: Context): void {
  const { units, fates, world } = context
  for (const { component, stay, create, remove } of fates.values()) {
    if (remove.length === 0) continue
    const services = servicesOf(context, component.name)
    const whole = [...stay, ...create].flatMap(({ name }) =>
      services.length > 0 ? services.map((service) => unitId('join', name, service)) : [unitId('ready', name)],
    )
    const gone = remove.map(({ machine }) => machine.name)
    const leaves = gone.flatMap((name) => services.map((service) => unitId('leave', name, service)))
    for (const id of leaves) units.need(id, whole)
    const cleared = neighbours(context, component).flatMap((name) =>
      withoutUnits(context, name, gone, [...whole, ...leaves]),
    )
    for (const name of gone) units.need(unitId('destroy', name), [...whole, ...cleared])
  }
  const orphaned = context.orphans.map(({ name }) => name)
  if (orphaned.length === 0 || world.components.length === 0) return
  const settled = [...fates.values()].flatMap(({ stay, create }) =>
    [...stay, ...create].map(({ name }) => unitId('ready', name)),
  )
  for (const name of orphaned) units.need(unitId('destroy', name), settled)
}

/** Second configure of a neighbour, as if the machines were gone already. */
function withoutUnits(
  { units, fates, updates, world }: Context,
  neighbour: string,
  gone: string[],
  needs: string[],
): string[] {
  const fate = fates.get(neighbour)
  if (!fate) return []
  const own = world.components.find(({ name }) => name === neighbour)
  if (!own) return []
  const names = [...fate.stay.filter(({ status }) => status === 'ready' || status === 'installed'), ...fate.create].map(
    ({ name }) => name,
  )
  return names.map((machine) => {
    // Its configure in this plan speaks of them no more: nothing to do twice.
    const first = units
      .of('configure', neighbour)
      .find((unit) => unit.machine === machine && !unit.id.endsWith('/without'))
    if (first?.without && gone.every((name) => first.without?.includes(name))) return unitId('ready', machine)
    const id = `${machine}/configure/without`
    if (units.has(id)) {
      const unit = units.of('configure', neighbour).find((found) => found.id === id)
      unit?.without?.push(...gone)
    } else {
      const reason = `${gone.join(', ')} will be gone`
      units.add('configure', { component: neighbour, machine }, reason, { id, without: [...gone] })
      if (!updates.has(machine) && fate.stay.some(({ name }) => name === machine))
        updates.set(machine, [{ message: reason }])
    }
    units.need(id, [
      ...needs,
      unitId('ready', machine),
      ...[...world.services]
        .filter(({ members }) => members.includes(neighbour))
        .map(({ name }) => unitId('join', machine, name)),
    ])
    return id
  })
}
