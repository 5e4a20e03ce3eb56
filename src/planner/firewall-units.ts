import type { ResolvedComponent } from '../model/blueprint.ts'
import type { Admission } from '../model/firewall.ts'
import type { MachineRecord } from '../model/machine.ts'
import type { UnitKind } from '../model/plan.ts'
import { admissionsBeyond, admissionsOf, admittedBy, comersOf } from './admissions.ts'
import { type ChangeContext, gone, made, type Reasons } from './change-context.ts'
import type { Fate } from './fate.ts'
import { firewallDigest } from './firewall.ts'
import { componentNamed, guestsOf } from './links.ts'
import { type UnitList, unitId } from './units.ts'

/**
 * Units that change a machine's firewall alone, before anybody comes to it in another way than so far. They need new machines' addresses and
 * nothing else, so whatever waits for them waits in no circle; and they shut nobody out.
 */
export function addOpenings(context: ChangeContext, { component, stay, create }: Fate): void {
  const { input, world, units } = context
  const { release, machines, overrides, sshFrom } = input
  if (!release?.spec.blueprint.firewall || hasNone(component)) return
  const now = { release: release.spec, components: world.components, machines, overrides, ...(sshFrom && { sshFrom }) }
  const comers = admittedBy(release.spec, world.components, component).filter((name) => made(context, name).length > 0)
  const coming = comers.flatMap((name) => made(context, name)).map((machine) => unitId('create', machine))
  for (const machine of stay.filter(hasRules)) {
    const [first, ...more] = comers.map((name) => ({ message: `${name} gets new machines, which are let in` }))
    const isStale = machine.firewallDigest !== firewallDigest(now, component, machine)
    if (first) units.need(addUnit(context, machine.name, component, opening, [first, ...more]), coming)
    else if (isStale) addUnit(context, machine.name, component, opening, [{ message: 'who may come to it changed' }])
  }
  // The first rules of a machine know all who come.
  for (const { name } of [...stay, ...create]) units.need(unitId('configure', name), [...coming, `${name}${opening}`])
}

/** Who comes to a machine is configured after that lets it in. */
export function orderOpenings({ input: { release }, world, units }: ChangeContext, { component, stay }: Fate): void {
  if (!release?.spec.blueprint.firewall || hasNone(component)) return
  const opened = stay.map(({ name }) => `${name}${opening}`)
  for (const user of admittedBy(release.spec, world.components, component))
    for (const { id, only } of [...units.of('configure', user), ...units.of('migrate', user)])
      if (only === undefined) units.need(id, opened)
}

/**
 * Who goes, or comes to a machine no more, is let in until then: rules that this plan brings keep it, and units at its end shut it out.
 * Called when all other units are there.
 */
export function addClosings(context: ChangeContext, { component, stay, create }: Fate): void {
  const { input, world, units } = context
  const { release } = input
  if (!release?.spec.blueprint.firewall || hasNone(component)) return
  const also = endedBy(context, component)
  const goers = admittedBy(release.spec, world.components, component).filter((name) => gone(context, name).length > 0)
  const guests = context.formers.flatMap(({ components }) => guestsOf(components, component.name))
  const leavers = [component.name, ...guests.map(({ name }) => name), ...goers, ...comersOf(also)]
  const last = leavers.flatMap((name) => lastKinds.flatMap((kind) => units.of(kind, name))).map(({ id }) => id)
  const guarded = new Set(stay.filter(hasRules).map(({ name }) => name))
  for (const { name } of [...stay, ...create]) {
    const own = units.of('configure', component.name).filter(({ machine }) => machine === name)
    if (also.length > 0) for (const unit of own) unit.also = also
    const isTouched = own.length > 0
    if (!(goers.length > 0 && (isTouched || guarded.has(name))) && !(also.length > 0 && isTouched)) continue
    const message = goers.length > 0 ? `${goers.join(', ')} loses machines` : 'who may come to it changed'
    const id = addUnit(context, name, component, closing, [{ message }])
    units.need(id, [...last, ...own.map((unit) => unit.id)])
  }
}

/** After these of a component, what it did before is over. */
const lastKinds: UnitKind[] = ['ready', 'join', 'destroy', 'forget']

const opening = '/configure/firewall'
const closing = '/configure/firewall-after'

/** What releases that machines may still be at let in, and the one planned does not. */
function endedBy({ input: { release }, world, formers }: ChangeContext, component: ResolvedComponent): Admission[] {
  if (!release) return []
  const next = admissionsOf(release.spec, world.components, component)
  return formers.flatMap(({ number, spec, components }) => {
    const before = number === release.number ? undefined : componentNamed(components, component.name)
    return before ? admissionsBeyond(admissionsOf(spec, components, before), next) : []
  })
}

/** Whether a machine's rules were to be changed, and nobody knows whether they are. */
export function isUnderWay({ firewallDigest }: MachineRecord): boolean {
  return firewallDigest === ''
}

/** Brings a machine's firewall level that was away when it was to be changed. */
export function addLevelling(units: UnitList, { component, name: machine }: MachineRecord): void {
  const reason = 'it was away when who may come to it changed'
  units.add('configure', { component, machine }, reason, { id: `${machine}${opening}`, only: 'firewall' })
}

function addUnit(
  { units, updates, fates }: ChangeContext,
  machine: string,
  { name: component }: ResolvedComponent,
  kind: typeof opening | typeof closing,
  reasons: [Reasons[number], ...Reasons],
): string {
  const [{ message }] = reasons
  const isKept = fates.get(component)?.stay.some(({ name }) => name === machine)
  if (isKept && !updates.has(machine)) updates.set(machine, reasons)
  return units.add('configure', { component, machine }, message, { id: `${machine}${kind}`, only: 'firewall' })
}

/** Who shares a machine is behind its firewall. */
function hasNone({ placement }: ResolvedComponent): boolean {
  return placement.with !== undefined
}

function hasRules({ firewallDigest: known }: MachineRecord): boolean {
  return known !== undefined && known !== null
}
