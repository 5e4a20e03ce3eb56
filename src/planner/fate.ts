import type { ResolvedComponent } from '../model/blueprint.ts'
import { KitbagError } from '../model/errors.ts'
import { type MachineRecord, machineName } from '../model/machine.ts'
import type { Change } from '../model/plan.ts'
import type { PlanInput } from './plan-input.ts'

type Reason = Change['reasons'][number]

export interface NewMachine {
  name: string
  ordinal: number
  row?: MachineRecord
  replaces?: string
  /** Name of the machine that it shares. */
  on?: string
  /** Name of the static address that it gets where its cloud has such: that of the machine that it replaces, or one that nobody has. */
  staticAddress?: string
  reasons: Reason[]
}

/** What becomes of one component's machines, before units are made. */
export interface Fate {
  component: ResolvedComponent
  /** Stay as machines; whether they are touched is decided by digests. */
  stay: MachineRecord[]
  /** `row`: a machine whose creation was begun and not finished. */
  create: NewMachine[]
  /** Were taken in, and wait for a place that there is not now. */
  wait: MachineRecord[]
  remove: { machine: MachineRecord; replacement?: string; reasons: Reason[] }[]
}

/** Id of the cloud that a component goes to. Throws `not-found` naming those there are. */
export function cloudIdOf(input: Pick<PlanInput, 'clouds' | 'cloudId'>, component: ResolvedComponent): string {
  const name = component.placement.cloud
  const id = name === undefined ? input.cloudId : input.clouds[name]
  if (id) return id
  throw new KitbagError(
    'not-found',
    name === undefined
      ? 'no cloud was given'
      : `components.${component.name}.placement.cloud: there is no cloud ${name}`,
    {
      fix: name === undefined ? 'Name one: --cloud NAME (kitbag cloud list shows them).' : 'Add it: kitbag cloud add.',
    },
  )
}

/** Whether a component's machines are to have addresses that outlive them; `asked`: by what one of them was made for. */
function wantsStaticAddress({ entrance, machine }: ResolvedComponent, asked = machine): boolean {
  return asked.staticAddress ?? entrance ?? false
}

/** Why a machine cannot serve as what the component asks for; empty: it can. */
function mismatches(input: PlanInput, component: ResolvedComponent, machine: MachineRecord): Reason[] {
  const path = `components.${component.name}.machine`
  const has = machine.spec.requirements
  const reasons: Reason[] = []
  if (machine.hostId !== undefined) reasons.push({ message: `${component.name} has machines of its own now` })
  if (machine.status === 'failed') reasons.push({ message: 'it failed' })
  if (machine.status === 'lost') reasons.push({ message: 'it is lost' })
  if (machine.status === 'destroying') reasons.push({ message: 'its removal was begun' })
  for (const field of ['image', 'cpu', 'memory', 'disk', 'floatingAddress'] as const) {
    const wanted = component.machine[field]
    if ((has[field] ?? null) === (wanted ?? null)) continue
    if (machine.imported && suffices(has[field], wanted)) continue
    const [before, after] = [String(has[field] ?? 'default'), String(component.machine[field] ?? 'default')]
    reasons.push({ message: `${field} of ${component.name} changed`, path: `${path}.${field}`, before, after })
  }
  const [had, wants] = [wantsStaticAddress(component, has), wantsStaticAddress(component)]
  if (had !== wants)
    reasons.push({
      message: `staticAddress of ${component.name} changed`,
      path: `${path}.staticAddress`,
      before: String(had),
      after: String(wants),
    })
  if (machine.cloudId !== cloudIdOf(input, component))
    reasons.push({ message: 'it is on another cloud', path: `components.${component.name}.placement` })
  const { region, zones, labels = {} } = component.placement
  if (region !== undefined && machine.spec.region !== region)
    reasons.push({ message: 'it is in another region', path: `components.${component.name}.placement.region` })
  if (zones && machine.spec.zone !== undefined && !zones.includes(machine.spec.zone)) {
    reasons.push({ message: 'it is in another zone', path: `components.${component.name}.placement.zones` })
  }
  if (Object.entries(labels).some(([label, value]) => machine.spec.labels?.[label] !== value))
    reasons.push({ message: 'it may not have the labels', path: `components.${component.name}.placement.labels` })
  return reasons
}

/** Firmware and file systems keep some for themselves: a machine sold as 1 GiB says 0.94 or so. */
const leastShare = 0.9

/** What somebody else made may be larger than what is asked for. */
export function suffices(has: number | string | undefined, wanted: number | string | undefined): boolean {
  if (wanted === undefined) return true
  return typeof has === 'number' && typeof wanted === 'number' && has >= wanted * leastShare
}

const progress: MachineRecord['status'][] = ['ready', 'installed', 'created', 'creating']

/** One that was healthy before counts as serving while an update that was cut off left it in between. */
function progressOf({ status, releaseNumber }: MachineRecord): number {
  return progress.indexOf(status === 'installed' && releaseNumber !== null ? 'ready' : status)
}

/**
 * Which machines are kept when there are too many: those with another component's data on them, then those that serve before those that
 * are not done, then those that carry anything else. Then the lowest ordinals; an undo keeps the oldest (ids sort by age), because the
 * youngest are those that the failed operation made.
 */
function byWorth({ kind, machines }: PlanInput): (a: MachineRecord, b: MachineRecord) => number {
  const age = (a: MachineRecord, b: MachineRecord) => (a.id < b.id ? -1 : 1)
  const guests = machines.filter(({ hostId }) => hostId !== undefined)
  const carrying = new Set(guests.map(({ hostId }) => hostId))
  const holding = new Set(guests.filter(({ stateful }) => stateful).map(({ hostId }) => hostId))
  const without = (set: Set<string | undefined>, { id }: MachineRecord) => (set.has(id) ? 0 : 1)
  return (a, b) =>
    without(holding, a) - without(holding, b) ||
    progressOf(a) - progressOf(b) ||
    without(carrying, a) - without(carrying, b) ||
    (kind === 'undo' ? age(a, b) : a.ordinal - b.ordinal)
}

/** Lost machines that an undo leaves as they are: what could not be replaced before is not tried again by the way back. */
function placesHeld(rows: MachineRecord[], replicas: number): MachineRecord[] {
  return rows.filter(({ status, releaseNumber }) => status === 'lost' && releaseNumber !== null).slice(0, replicas)
}

/** Decides create, stay, replace and remove for each component: those with machines of their own first, then those that share them. */
export function fatesOf(input: PlanInput, components: ResolvedComponent[]): Fate[] {
  const own = new Map(
    components.flatMap((component) =>
      component.placement.with === undefined ? [[component.name, fateOf(input, component)] as const] : [],
    ),
  )
  return components.map((component) => {
    const { name, placement } = component
    return own.get(name) ?? fateOf(input, component, roomsOf(input, component, own.get(placement.with ?? '')))
  })
}

/** Machines that a component may share, by name, with its own row that is there already. */
interface Rooms {
  /** Ids of the machines that stay. */
  kept: Set<string>
  /** Names of those where it is not yet, in the order in which they are taken. */
  free: string[]
}

function roomsOf({ machines }: PlanInput, { name }: ResolvedComponent, host: Fate | undefined): Rooms {
  const used = new Set(machines.filter(({ component }) => component === name).map(({ hostId }) => hostId))
  const rows = [...(host?.stay ?? []), ...(host?.create ?? []).flatMap(({ row }) => row ?? [])]
  const free = rows.filter(({ id }) => !used.has(id)).map((row) => row.name)
  const fresh = (host?.create ?? []).flatMap((one) => (one.row ? [] : [one.name]))
  return { kept: new Set(rows.map(({ id }) => id)), free: [...free, ...fresh] }
}

/** Why a component does not stay on the machine that it shares; empty: it does. */
function moves({ machines }: PlanInput, { placement }: ResolvedComponent, row: MachineRecord, rooms: Rooms): Reason[] {
  if (row.hostId === undefined) return [{ message: `it shares a machine of ${placement.with} now` }]
  if (rooms.kept.has(row.hostId)) return []
  const host = machines.find(({ id }) => id === row.hostId)
  const message = host?.component === placement.with ? `${host?.name} goes` : `it is with ${placement.with} now`
  return [{ message }]
}

/** Decides create, stay, replace and remove for one component. `rooms`: it shares these. */
function fateOf(input: PlanInput, component: ResolvedComponent, rooms?: Rooms): Fate {
  const rows = input.machines
    .filter((machine) => machine.component === component.name)
    .sort((a, b) => a.ordinal - b.ordinal)
  const idle = rows.filter(({ status }) => status === 'imported')
  const used = rows.filter(({ status }) => status !== 'imported')
  if (input.kind === 'forget') return forgetting(input, component, used, idle)
  const judged = used.map((machine) => ({
    machine,
    reasons: rooms ? moves(input, component, machine, rooms) : mismatches(input, component, machine),
  }))
  const good = judged.filter(({ reasons }) => reasons.length === 0).map(({ machine }) => machine)
  const held = input.kind === 'undo' ? placesHeld(rows, component.replicas) : []
  const places = component.replicas - held.length
  const wanted = new Set([...good].sort(byWorth(input)).slice(0, places))
  const kept = good.filter((machine) => wanted.has(machine))
  const surplus = good.filter((machine) => !wanted.has(machine))
  const unfit = judged.filter(({ machine, reasons }) => reasons.length > 0 && !held.includes(machine))

  const taken = new Set(rows.map(({ ordinal }) => ordinal))
  const stay = kept.filter(({ status }) => status !== 'creating')
  const fate: Fate = { component, stay, create: [], wait: idle, remove: [] }
  for (const row of kept.filter(({ status }) => status === 'creating')) {
    const host = input.machines.find(({ id }) => id === row.hostId)
    fate.create.push({
      name: row.name,
      ordinal: row.ordinal,
      row,
      ...(host && { on: host.name }),
      reasons: [{ message: 'its creation was not finished' }],
    })
  }
  const replaceable = [...unfit]
  const imported = rooms ? [] : idle.slice(0, Math.max(0, places - kept.length))
  fate.wait = idle.slice(imported.length)
  for (const row of imported) {
    const misfits = mismatches(input, component, row)
    if (misfits.length > 0) throw misfit(row, misfits)
    const old = replaceable.shift()
    const reasons = [{ message: 'it was imported, and has its place now' }]
    fate.create.push({ name: row.name, ordinal: row.ordinal, row, reasons, ...(old && { replaces: old.machine.name }) })
    if (old) fate.remove.push({ machine: old.machine, replacement: row.name, reasons: old.reasons })
  }
  const free = [...(rooms?.free ?? [])]
  const room = rooms ? free.length : Number.POSITIVE_INFINITY
  const names = new Set(rows.flatMap(({ spec }) => spec.staticAddress ?? []))
  for (let missing = Math.min(places - kept.length - imported.length, room), ordinal = 1; missing > 0; ordinal++) {
    if (taken.has(ordinal)) continue
    missing--
    const on = free.shift()
    const name = machineName(component.name, ordinal)
    const old = replaceable.shift()
    const reasons = old
      ? old.reasons
      : [{ message: used.length === 0 ? 'new' : `${component.name} has ${component.replicas} machines now` }]
    const staticAddress =
      !rooms && wantsStaticAddress(component)
        ? (old?.machine.spec.staticAddress ?? freeName(component.name, names))
        : undefined
    if (staticAddress !== undefined) names.add(staticAddress)
    fate.create.push({
      name,
      ordinal,
      reasons,
      ...(on !== undefined && { on }),
      ...(old && { replaces: old.machine.name }),
      ...(staticAddress !== undefined && { staticAddress }),
    })
    if (old) fate.remove.push({ machine: old.machine, replacement: name, reasons: old.reasons })
  }
  for (const { machine, reasons } of replaceable) fate.remove.push({ machine, reasons })
  for (const machine of surplus) {
    fate.remove.push({
      machine,
      reasons: [
        {
          message: `${component.name} has ${component.replicas} machines now`,
          path: `components.${component.name}.replicas`,
        },
      ],
    })
  }
  return fate
}

/** Nobody takes the place of machines that are forgotten, and nothing else becomes of the others than that these are gone. */
function forgetting(
  { forget = [] }: PlanInput,
  component: ResolvedComponent,
  used: MachineRecord[],
  idle: MachineRecord[],
): Fate {
  const goes = ({ name }: MachineRecord) => forget.includes(name)
  const reasons = [{ message: 'it is to be forgotten' }]
  return {
    component,
    stay: used.filter(
      (machine) => !goes(machine) && !['creating', 'failed', 'lost', 'destroying'].includes(machine.status),
    ),
    create: [],
    wait: idle.filter((machine) => !goes(machine)),
    remove: [...used, ...idle].filter(goes).map((machine) => ({ machine, reasons })),
  }
}

function misfit({ name }: MachineRecord, reasons: Reason[]): KitbagError {
  const why = reasons.map(({ message, before, after }) => (before ? `${message} (${before} -> ${after})` : message))
  return new KitbagError('conflict', `${name} was imported and does not fit: ${why.join(', ')}`, {
    fix: `Ask for what it has, or let it go: kitbag forget NAME --machine ${name}`,
  })
}
/** The first of `load-balancer-1`, `load-balancer-2` ... that no static address of the component has. */
function freeName(component: string, taken: Set<string>): string {
  for (let number = 1; ; number++) {
    const name = machineName(component, number)
    if (!taken.has(name)) return name
  }
}
