import type { MachineRecord } from '../model/machine.ts'
import {
  type ChangeContext,
  carries,
  gone,
  made,
  mayServe,
  namedBy,
  nodesReady,
  type Reasons,
  servicesOf,
  servingUnits,
} from './change-context.ts'
import { addJoins } from './create-units.ts'
import { configureDigest, installDigest, migrationDigest, type World } from './digests.ts'
import type { Fate } from './fate.ts'
import { componentNamed, linksOf } from './links.ts'
import { componentDifferences } from './reasons.ts'
import { unitId } from './units.ts'

/** Machines that stay and are not, or will not be, as their inputs say. */
export function addUpdates(context: ChangeContext, fate: Fate): void {
  const { input, world, units, formers } = context
  const { release, current, machines, overrides, values = {}, certificates = {} } = input
  if (!release) return
  const { component } = fate
  const now: World = { release: release.spec, components: world.components, machines, overrides, values, certificates }
  const before = componentNamed(
    formers.find(({ number }) => number === current?.number)?.components ?? [],
    component.name,
  )
  const differences = componentDifferences(current, release, before, component)
  const around = changesAround(context, fate)
  for (const machine of fate.stay) {
    if (input.held?.includes(machine.name)) continue
    const install = machine.drifted || machine.installDigest !== installDigest(release.spec, component)
    const stale = install || machine.configureDigest !== configureDigest(now, component, machine)
    if (stale || around.length > 0) {
      const reasons = reasonsOf(machine, differences, around, install)
      const [{ message }] = reasons
      context.updates.set(machine.name, reasons)
      if (install) units.add('install', { component: component.name, machine: machine.name }, message)
      addConfigure(context, fate, machine, message)
    } else if (machine.status !== 'ready') {
      const message = 'it has not been healthy yet'
      context.updates.set(machine.name, [{ message }])
      units.add('ready', { component: component.name, machine: machine.name }, message)
      addJoins(context, fate, machine.name, message)
    }
  }
}

/** Why a component's files change although nothing of its own did. */
function changesAround(context: ChangeContext, { component }: Fate): Reasons {
  const more = namedBy(context, component).filter((name) => made(context, name).length > 0)
  const less = forgottenAtOnce(context, component.name).filter(({ machines }) => machines.length > 0)
  return [
    ...more.map((name) => ({ message: `${name} gets new machines` })),
    ...less.filter(({ name }) => !more.includes(name)).map(({ name }) => ({ message: `${name} loses machines` })),
  ]
}

/**
 * Machines that a component stops using before they go. A service that carries them is no such user: it takes them out of traffic
 * first, and forgets them after.
 */
export function forgottenAtOnce(context: ChangeContext, component: string): { name: string; machines: string[] }[] {
  return linksOf(context.world.components, component)
    .filter((name) => !carries(context, component, name))
    .map((name) => ({ name, machines: gone(context, name) }))
}

function reasonsOf(
  machine: MachineRecord,
  differences: Reasons,
  around: Reasons,
  install: boolean,
): [Reasons[number], ...Reasons] {
  const all = [...differences, ...around]
  if (machine.drifted) return [{ message: 'check found it different from what was applied' }, ...all]
  if (machine.configureDigest === null || machine.installDigest === null)
    return [{ message: 'its last change was not finished' }, ...all]
  // A service's recipe is the running Kitbag's own, in every release.
  const usual = install ? 'this Kitbag has another recipe for it' : 'what it refers to changed'
  const [first = { message: usual }, ...others] = all
  return [first, ...others]
}

/** configure + ready of a running machine, taken out of traffic around it when others can carry it meanwhile. */
function addConfigure(context: ChangeContext, fate: Fate, machine: MachineRecord, reason: string): void {
  const { units } = context
  const target = { component: fate.component.name, machine: machine.name }
  const install = unitId('install', machine.name)
  const configure = units.add('configure', target, reason)
  units.need(configure, [install])
  units.need(units.add('ready', target, reason), [configure])
  const alone = fate.stay.length + fate.create.length === 1
  for (const service of servicesOf(context, fate.component.name)) {
    if (alone || !mayServe(machine)) continue
    const leave = units.add('leave', target, reason, { service })
    units.need(leave, [install, ...nodesReady(context, service)])
    units.need(configure, [leave])
  }
  addJoins(context, fate, machine.name, reason)
}

/** Once per release, on the component's first machine, before any of its machines is configured. */
export function addMigration(context: ChangeContext, { component, stay, create }: Fate): void {
  const { input, units, world, fates } = context
  const { release, migrated, machines } = input
  if (!release || component.migrate === undefined) return
  if (!release.spec.recipes[component.recipe]?.phases.includes('migrate')) return
  const fresh = linksOf(world.components, component.name).some((name) => {
    const recipe = fates.get(name)?.component.recipe ?? ''
    return release.spec.recipes[recipe]?.stateful && made(context, name).length > 0
  })
  const digest = migrationDigest({ release: release.spec, components: world.components, machines }, component)
  if (!fresh && migrated[component.name]?.includes(digest)) return
  const machine = stay[0]?.name ?? create[0]?.name
  if (machine === undefined) return
  const reason = 'this release was not migrated to yet'
  const migrate = units.add('migrate', { component: component.name, machine }, reason)
  units.need(migrate, [unitId('install', machine)])
  for (const { id } of [...units.of('configure', component.name), ...units.of('leave', component.name)])
    units.need(id, [migrate])
}

/** Batches: at most `maxUnavailable` machines of a component are out of service, and none before its new machines serve. */
export function orderUpdates(context: ChangeContext, { component, stay, create }: Fate): void {
  const { units } = context
  const touched = stay.map(({ name }) => name).filter((name) => units.has(unitId('configure', name)))
  const first =
    servicesOf(context, component.name).length > 0
      ? create.flatMap(({ name }) => servingUnits(context, component.name, name))
      : []
  const size = Math.max(1, component.update.maxUnavailable)
  for (const [index, machine] of touched.entries()) {
    const batch = index - (index % size)
    const before = touched
      .slice(Math.max(0, batch - size), batch)
      .flatMap((name) => servingUnits(context, component.name, name))
    const leaves = servicesOf(context, component.name)
      .map((service) => unitId('leave', machine, service))
      .filter((id) => units.has(id))
    for (const id of leaves.length > 0 ? leaves : [unitId('configure', machine)]) units.need(id, [...before, ...first])
  }
}
