import type { Admission } from '../../../src/model/firewall.ts'
import type { MachineRecord } from '../../../src/model/machine.ts'
import type { Plan, Unit } from '../../../src/model/plan.ts'
import type { ReleaseSpec } from '../../../src/model/release.ts'
import { admittedBy, comersOf } from '../../../src/planner/admissions.ts'
import { configureDigest, installDigest, isTold, migrationDigest, type World } from '../../../src/planner/digests.ts'
import { expand } from '../../../src/planner/expand.ts'
import { firewallDigest } from '../../../src/planner/firewall.ts'
import { linksOf } from '../../../src/planner/links.ts'
import type { PlanInput } from '../../../src/planner/plan-input.ts'
import { copyOf, inputFor, machineRow, nothing, planOf, type State } from './world.ts'

/** An order that the needs allow; `pick` chooses among those that may be next. Throws for a circle or a need that is no unit. */
export function ordered({ units }: Plan, pick: (count: number) => number = () => 0): Unit[] {
  const known = new Set(units.map(({ id }) => id))
  if (known.size < units.length) throw new Error('two units of one id')
  for (const { id, needs } of units)
    for (const need of needs) if (!known.has(need)) throw new Error(`${id} needs ${need}, which is no unit`)
  const open = [...units]
  const done = new Set<string>()
  const order: Unit[] = []
  while (open.length > 0) {
    const next = open.filter(({ needs }) => needs.every((need) => done.has(need)))
    const unit = next[pick(next.length)]
    if (!unit) throw new Error(`a circle: ${open.map(({ id, needs }) => `${id} <- ${needs.join(' ')}`).join('; ')}`)
    open.splice(open.indexOf(unit), 1)
    done.add(unit.id)
    order.push(unit)
  }
  return order
}

export type Phase = 'whole' | 'begun'

/** What a unit does to the state, as the activities do it; `begun`: it was cut off in the middle. */
export function apply(state: State, input: PlanInput, made: Plan, unit: Unit, phase: Phase = 'whole'): void {
  const { kind, machine: name } = unit
  const row = state.machines.find((machine) => machine.name === name)
  const change = (to: Partial<MachineRecord>) => row && Object.assign(row, to)
  switch (kind) {
    case 'create':
      create(state, unit, phase)
      return
    case 'install': {
      const installed = row?.status === 'created' ? { status: 'installed' as const } : {}
      change({ installDigest: null })
      if (phase === 'whole') change({ installDigest: digestsOf(state, input, unit).install(), ...installed })
      return
    }
    case 'migrate':
      if (phase === 'whole')
        state.migrated[unit.component] = [
          ...(state.migrated[unit.component] ?? []),
          digestsOf(state, input, unit).migrate(),
        ]
      return
    case 'leave':
      change(row?.status === 'ready' ? { status: 'installed' } : {})
      for (const { name: node } of nodesOf(state, unit.service)) state.traffic.get(node)?.delete(name)
      return
    case 'configure':
      if (unit.only === 'firewall') {
        if (row?.firewallDigest !== null && row?.firewallDigest !== undefined) admit(state, input, unit, phase)
        return
      }
      admit(state, input, unit, phase)
      state.uses.set(name, usedBy(input, unit.component))
      change({ configureDigest: null, ...(row?.status === 'ready' && isLooked(made, unit) && { status: 'installed' }) })
      if (phase === 'begun') return
      change({ configureDigest: digestsOf(state, input, unit).configure(), drifted: false })
      tell(state, input, unit)
      return
    case 'ready':
      if (phase === 'whole') change({ ...settled(made, unit), releaseNumber: input.release?.number ?? null })
      return
    case 'join':
      if (phase === 'whole') {
        for (const { name: node } of nodesOf(state, unit.service)) {
          const isGoing = made.units.some(({ kind, machine }) => kind === 'destroy' && machine === node)
          if (state.named.get(node)?.has(name)) state.traffic.get(node)?.add(name)
          else if (!isGoing) throw new Error(`${node} does not know ${name}`)
        }
        change(settled(made, unit))
      }
      return
    case 'destroy':
      // What shares a machine is as it was until it has left.
      change(row?.hostId === undefined ? { status: 'destroying' } : { installDigest: null, configureDigest: null })
      if (phase === 'begun') return
      state.machines = state.machines.filter((machine) => machine.name !== name)
      state.named.delete(name)
      state.admitted.delete(name)
      state.uses.delete(name)
      state.traffic.delete(name)
      for (const machines of state.traffic.values()) machines.delete(name)
      return
  }
}

/** Who is told of and may come is let in, those that are about to go included. */
function admit(state: State, input: PlanInput, unit: Unit, phase: Phase): void {
  const row = state.machines.find((machine) => machine.name === unit.machine)
  const digest = digestsOf(state, input, unit).firewall()
  if (!row) return
  row.firewallDigest = digest === undefined ? null : phase === 'begun' ? '' : digest
  if (phase === 'begun') return
  if (digest === undefined) state.admitted.delete(unit.machine)
  else state.admitted.set(unit.machine, mayCome(state, input, unit.component, unit.also))
}

function usedBy({ release, toolkit, overrides }: PlanInput, name: string): string[] {
  return release ? linksOf(expand(release.spec, toolkit, overrides).components, name) : []
}

/** Names of the machines that a component lets in, as they are now. */
export function mayCome({ machines }: State, input: PlanInput, name: string, also: Admission[] = []): Set<string> {
  if (!input.release) return new Set()
  const { spec } = input.release
  const { components } = expand(spec, input.toolkit, input.overrides)
  const own = components.find((component) => component.name === name)
  const sources = own ? [...admittedBy(spec, components, own), ...comersOf(also)] : []
  return new Set(
    machines
      .filter((machine) => sources.includes(machine.component) && isTold(machine) && machine.addresses.length > 0)
      .map((machine) => machine.name),
  )
}

/** Files of a machine name others; a service sends to those that it is told of anew, and to nobody that it is not told of. */
function tell(state: State, input: PlanInput, unit: Unit): void {
  const named = digestsOf(state, input, unit).named()
  const before = state.named.get(unit.machine) ?? new Set()
  state.named.set(unit.machine, named)
  if (!input.release?.spec.blueprint.services.some(({ name }) => name === unit.component)) return
  const traffic = state.traffic.get(unit.machine)
  // Its own machines it names for other reasons than to send to them.
  const own = new Set(state.machines.filter(({ component }) => component === unit.component).map(({ name }) => name))
  const now = [...named].filter((machine) => !own.has(machine) && (traffic?.has(machine) || !before.has(machine)))
  state.traffic.set(unit.machine, new Set(now))
}

/** Machines of a service that clients may be sending to: those that were healthy once. */
function nodesOf(state: State, service: string | undefined): MachineRecord[] {
  return state.machines.filter(({ component: owner, releaseNumber }) => owner === service && releaseNumber !== null)
}

/** Machines that somebody's traffic may reach by a service. */
export function carriedBy(state: State, service: string): Set<string> {
  return new Set(nodesOf(state, service).flatMap(({ name }) => [...(state.traffic.get(name) ?? [])]))
}

/** Whether another look at the machine's health follows. */
function isLooked(made: Plan, unit: Unit): boolean {
  return made.units.some(
    ({ kind, machine, needs }) => kind === 'ready' && machine === unit.machine && needs.includes(unit.id),
  )
}

/** With the last of these a machine is as the plan wants it. */
function settled({ units }: Plan, unit: Unit): Partial<MachineRecord> {
  const last = units.findLast(({ kind, machine }) => machine === unit.machine && (kind === 'ready' || kind === 'join'))
  return last?.id === unit.id ? { status: 'ready' } : {}
}

function create(state: State, { component: owner, machine: name, create: wanted }: Unit, phase: Phase): void {
  if (!wanted) throw new Error(`${name}: created without a specification`)
  let row = state.machines.find((machine) => machine.name === name)
  if (!row) {
    row = machineRow(name, {
      id: `mac_${String(++state.made).padStart(6, '0')}`,
      component: owner,
      ordinal: wanted.ordinal,
      cloudId: wanted.cloud,
      status: 'creating',
      spec: wanted.spec,
      stateful: wanted.stateful,
      releaseNumber: null,
    })
    state.machines.push(row)
  }
  const host = state.machines.find((machine) => machine.name === wanted.on)
  if (wanted.on !== undefined && !host?.addresses.length) throw new Error(`${name}: ${wanted.on} is not there`)
  if (host) row.hostId = host.id
  if (phase === 'begun') return
  if (host) {
    Object.assign(row, { status: 'created', addresses: host.addresses })
    return
  }
  const address = `10.0.${Math.floor(state.made / 200)}.${(state.made % 200) + 1}`
  Object.assign(row, { status: 'created', addresses: [{ address, family: 4, scope: 'private', network: 'n' }] })
}

function digestsOf(state: State, input: PlanInput, unit: Unit) {
  if (!input.release) throw new Error(`${unit.id}: there is no release`)
  const { spec } = input.release
  const { components } = expand(spec, input.toolkit, input.overrides)
  const machines = state.machines.filter(({ name }) => !unit.without?.includes(name))
  const also = unit.also && { also: unit.also }
  const world: World = { release: spec, components, machines, overrides: input.overrides, ...also }
  const own = components.find(({ name }) => name === unit.component)
  const row = state.machines.find(({ name }) => name === unit.machine)
  if (!own || !row) throw new Error(`${unit.id}: no such component or machine`)
  const text = JSON.stringify([own.env, own.settings])
  const uses = spec.recipes[own.recipe]?.uses ?? []
  const isNamed = (name: string) => {
    const consumer = components.find((other) => other.name === name)
    const back =
      uses.includes('consumers') && JSON.stringify([consumer?.env, consumer?.settings]).includes(`"$ref":"${own.name}.`)
    return text.includes(`"$ref":"${name}.`) || back || (name === own.name && uses.includes('peers'))
  }
  return {
    install: () => installDigest(spec, own),
    configure: () => configureDigest(world, own, row),
    firewall: () => firewallDigest({ ...world, present: state.machines }, own, row),
    migrate: () => migrationDigest(world, own),
    named: () => new Set(machines.filter((machine) => isNamed(machine.component)).map(({ name }) => name)),
  }
}

/** The state after a whole plan. */
export function executed(before: State, input: PlanInput, pick?: (count: number) => number): State {
  const state = copyOf(before)
  const now = { ...input, machines: state.machines, migrated: state.migrated }
  const made = planOf(now)
  for (const unit of ordered(made, pick)) apply(state, now, made, unit)
  return state
}

/** A release as it is in force on machines of its own. */
export function deployed(spec: ReleaseSpec): State {
  return executed(nothing(), inputFor(spec, nothing()))
}
