import { placeOf, type ResolvedComponent } from '../model/blueprint.ts'
import { KitbagError } from '../model/errors.ts'
import { type MachineRecord, machineName } from '../model/machine.ts'
import type { Reason } from '../model/plan.ts'
import { mismatches, wantsStaticAddress } from './fitness.ts'
import type { PlanInput } from './plan-input.ts'
import { reasonsText } from './reasons.ts'
import { byWorth } from './worth.ts'

/** A machine that is to be made, made to its end, or given its place. */
export interface NewMachine {
  name: string
  ordinal: number
  /** One that is there: its creation was begun and not finished, or it was imported. */
  row?: MachineRecord
  /** Name of the machine whose place it takes. */
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
  create: NewMachine[]
  /** Were taken in, and wait for a place that there is not now. */
  wait: MachineRecord[]
  remove: { machine: MachineRecord; replacement?: string; reasons: Reason[] }[]
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
  const imported = rooms ? [] : idle.slice(0, Math.max(0, places - kept.length))
  const missing = Math.min(places - kept.length - imported.length, rooms?.free.length ?? Number.POSITIVE_INFINITY)

  const resized: Reason = { message: `${component.name} has ${component.replicas} machines now` }
  const remove: Fate['remove'] = []
  /** The next of those that do not fit gives its place to the machine of this name. */
  const replacedBy = (replacement: string) => {
    const old = unfit.shift()
    if (old) remove.push({ ...old, replacement })
    return old
  }
  const unfinished = kept.filter(({ status }) => status === 'creating').map((row) => resumed(input, row))
  const takenIn = imported.map((row): NewMachine => {
    refuseMisfit(input, component, row)
    const old = replacedBy(row.name)
    const reasons = [{ message: 'it was imported, and has its place now' }]
    return { name: row.name, ordinal: row.ordinal, row, reasons, ...(old && { replaces: old.machine.name }) }
  })
  const names = new Set(rows.flatMap(({ spec }) => spec.staticAddress ?? []))
  const fresh = freeOrdinals(rows, missing).map((ordinal, i): NewMachine => {
    const name = machineName(component.name, ordinal)
    const on = rooms?.free[i]
    const old = replacedBy(name)
    const hasAddress = !rooms && wantsStaticAddress(component)
    const staticAddress = hasAddress ? (old?.machine.spec.staticAddress ?? freeName(component.name, names)) : undefined
    if (staticAddress !== undefined) names.add(staticAddress)
    return {
      name,
      ordinal,
      reasons: old?.reasons ?? [used.length === 0 ? { message: 'new' } : resized],
      ...(on !== undefined && { on }),
      ...(old && { replaces: old.machine.name }),
      ...(staticAddress !== undefined && { staticAddress }),
    }
  })
  const tooMany = [{ ...resized, path: `${placeOf(component)}.replicas` }]
  return {
    component,
    stay: kept.filter(({ status }) => status !== 'creating'),
    create: [...unfinished, ...takenIn, ...fresh],
    wait: idle.slice(imported.length),
    remove: [...remove, ...unfit, ...surplus.map((machine) => ({ machine, reasons: tooMany }))],
  }
}

/** A machine whose creation was begun is made to its end. */
function resumed({ machines }: PlanInput, row: MachineRecord): NewMachine {
  const host = machines.find(({ id }) => id === row.hostId)
  const reasons = [{ message: 'its creation was not finished' }]
  return { name: row.name, ordinal: row.ordinal, row, ...(host && { on: host.name }), reasons }
}

/** The lowest that none of a component's machines has. */
export function freeOrdinals(rows: MachineRecord[], count: number): number[] {
  const taken = new Set(rows.map(({ ordinal }) => ordinal))
  const free: number[] = []
  for (let ordinal = 1; free.length < count; ordinal++) if (!taken.has(ordinal)) free.push(ordinal)
  return free
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

/** Throws `conflict` for an imported machine that is not, or is no more, what its component asks for. */
function refuseMisfit(input: PlanInput, component: ResolvedComponent, row: MachineRecord): void {
  const misfits = mismatches(input, component, row)
  if (misfits.length === 0) return
  throw new KitbagError('conflict', `${row.name} was imported and does not fit: ${reasonsText(misfits)}`, {
    fix: `Ask for what it has, or let it go: kitbag forget NAME --machine ${row.name}`,
  })
}

/** The first of `load-balancer-1`, `load-balancer-2` ... that no static address of the component has. */
function freeName(component: string, taken: Set<string>): string {
  for (let number = 1; ; number++) {
    const name = machineName(component, number)
    if (!taken.has(name)) return name
  }
}
