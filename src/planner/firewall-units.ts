import type { MachineRecord } from '../model/machine.ts'
import { type ChangeContext, endUnit, gone, made, type Reasons, servicesOf } from './change-context.ts'
import type { World } from './digests.ts'
import type { Fate } from './fate.ts'
import { admittedBy, firewallDigest } from './firewall.ts'
import { reaches } from './links.ts'
import { unitId } from './units.ts'

/**
 * Who is new is let in before it comes, and who goes is let in until it is gone: units that change a machine's firewall alone, where its
 * configure does not do that in time. They take nothing out of traffic.
 */
export function addAdmissions(context: ChangeContext, fate: Fate): void {
  const { input, world, units } = context
  const { release, machines, overrides, sshFrom } = input
  if (!release?.spec.blueprint.firewall) return
  const { component } = fate
  const sources = admittedBy(release.spec, world.components, component)
  const added = sources.filter((name) => made(context, name).length > 0)
  const lost = sources.filter((name) => gone(context, name).length > 0)
  const now: World = {
    release: release.spec,
    components: world.components,
    machines,
    overrides,
    ...(sshFrom && { sshFrom }),
  }
  for (const machine of fate.stay) {
    const known = machine.firewallDigest ?? undefined
    const stale = known !== undefined && known !== firewallDigest(now, component, machine)
    // Without rules so far it lets everybody in: its configure, which brings the first, may come when it likes.
    if (known === undefined || (!stale && added.length === 0)) continue
    const reasons = reasonsOf(stale, added)
    if (!configuredInTime(context, fate, machine))
      units.add('configure', { component: component.name, machine: machine.name }, reasons[0].message, {
        id: firewallUnit(machine.name),
        only: 'firewall',
      })
    tell(context, machine.name, reasons)
  }
  // Rules that this plan brings still let in those that go.
  const guarded = fate.stay.filter((machine) => hasRules(machine) || units.has(unitId('configure', machine.name)))
  for (const name of [...guarded, ...fate.create].map((machine) => machine.name)) {
    if (lost.length === 0) break
    const reason = `${lost.join(', ')} loses machines`
    const target = { component: component.name, machine: name }
    const id = units.add('configure', target, reason, { id: `${name}/configure/firewall-after`, only: 'firewall' })
    const ends = lost.flatMap((source) => gone(context, source)).map((machine) => endUnit(context, machine))
    units.need(id, [...ends, unitId('ready', name), unitId('configure', name), firewallUnit(name)])
    if (fate.stay.some((machine) => machine.name === name)) tell(context, name, [{ message: reason }])
  }
}

/** What needs addresses of new machines comes after these are made, and who comes to a machine after it lets them in. */
export function orderAdmissions(context: ChangeContext, fate: Fate): void {
  const { input, world, units } = context
  const { release } = input
  if (!release?.spec.blueprint.firewall) return
  const { component, create } = fate
  const sources = admittedBy(release.spec, world.components, component)
  const created = sources.flatMap((name) => made(context, name)).map((machine) => unitId('create', machine))
  const own = units.of('configure', component.name)
  for (const { id } of own) units.need(id, created)
  const fresh = new Set(create.map(({ name }) => name))
  for (const user of sources) {
    const inTime = own
      .filter(
        ({ id, machine }) =>
          !fresh.has(machine) && (id === firewallUnit(machine) || isInTime(context, fate, id, machine)),
      )
      .map(({ id }) => id)
    const waiting = [...units.of('configure', user), ...units.of('migrate', user)]
    for (const { id, only, machine } of waiting)
      if (only === undefined && (user !== component.name || fresh.has(machine))) units.need(id, inTime)
  }
}

/**
 * Whether the machine's own configure brings its firewall in line before anybody needs it: nothing has to leave or join for it, and it
 * does not wait for those who wait for it.
 */
function configuredInTime(context: ChangeContext, { component }: Fate, { name }: MachineRecord): boolean {
  const { input, units, world } = context
  if (!units.has(unitId('configure', name)) || servicesOf(context, component.name).length > 0) return false
  const sources = input.release ? admittedBy(input.release.spec, world.components, component) : []
  return !sources.some((user) => reaches(world.components, component.name, user))
}

function isInTime(context: ChangeContext, fate: Fate, id: string, machine: string): boolean {
  const row = fate.stay.find(({ name }) => name === machine)
  return (
    id === unitId('configure', machine) && row !== undefined && hasRules(row) && configuredInTime(context, fate, row)
  )
}

function hasRules({ firewallDigest: known }: MachineRecord): boolean {
  return known !== undefined && known !== null
}

function firewallUnit(machine: string): string {
  return `${machine}/configure/firewall`
}

function reasonsOf(stale: boolean, added: string[]): [Reasons[number], ...Reasons] {
  const all = added.map((name) => ({ message: `${name} gets new machines, which are let in` }))
  const [first = { message: 'who may come to it changed' }, ...others] = all
  return stale && all.length > 0 ? [{ message: 'who may come to it changed' }, first, ...others] : [first, ...others]
}

function tell({ updates }: ChangeContext, machine: string, reasons: Reasons): void {
  if (!updates.has(machine)) updates.set(machine, reasons)
}
