import { digestOf } from '../lib/digest.ts'
import type { ResolvedComponent } from '../model/blueprint.ts'
import { KitbagError } from '../model/errors.ts'
import type { MachineRecord, ResolvedMachineSpec } from '../model/machine.ts'
import type { Plan } from '../model/plan.ts'
import { changeUnits } from './change-units.ts'
import { changesOf, keep, type PlanBody, refusalsOf } from './changes.ts'
import { cloudIdOf } from './cloud-of.ts'
import { installDigest } from './digests.ts'
import { type Expanded, expand } from './expand.ts'
import { fatesOf } from './fate.ts'
import { addLevelling, isUnderWay } from './firewall-units.ts'
import { forgetPlan, goesWith, importPlan, refuseLast, refuseUnplaced, withGuests } from './imports.ts'
import { refersTo } from './links.ts'
import { refusePlainLinks } from './plain-links.ts'
import type { PlanInput, WantedMachine } from './plan-input.ts'
import { refuseSharing } from './sharing.ts'
import { UnitList } from './units.ts'

const nothing: Expanded = { components: [], services: [], lingers: new Map() }

function expanded(input: PlanInput): Expanded {
  return input.release ? expand(input.release.spec, input.toolkit, input.overrides) : nothing
}

function changesWorld({ kind }: PlanInput): boolean {
  return kind !== 'check' && kind !== 'push' && kind !== 'import' && kind !== 'forget'
}

/** Machines that the plan of this input would create: their specs have to be resolved by their clouds before `plan`. */
export function machinesToCreate(input: PlanInput): WantedMachine[] {
  if (!changesWorld(input)) return []
  const world = expanded(input)
  refuse(input, world)
  return fatesOf(input, world.components).flatMap(({ component, create }) =>
    create
      .filter(({ row, on }) => !row && on === undefined)
      .map(({ ordinal, staticAddress }) => ({
        component,
        ordinal,
        cloudId: cloudIdOf(input, component),
        ...(staticAddress !== undefined && { staticAddress }),
      })),
  )
}

/** The difference between what shall be and what is. Pure; the same input gives the same digest. `specs`: machine name -> what its cloud will make. */
export function plan(given: PlanInput, specs: Map<string, ResolvedMachineSpec>): Plan {
  const input = withGuests({ ...given, machines: [...given.machines].sort(byName) })
  const world = expanded(input)
  const body = bodyOf(input, world, specs)
  const whole = {
    version: 1 as const,
    deployment: input.deployment,
    ...(input.release && { release: input.release.number }),
    ...body,
  }
  // Not of the refusals: the plan that was looked at stays the same when somebody says that data may be lost.
  const { refusals: _, ...does } = whole
  return { ...whole, digest: digestOf(does) }
}

function bodyOf(input: PlanInput, world: Expanded, specs: Map<string, ResolvedMachineSpec>): PlanBody {
  switch (input.kind) {
    case 'check':
      return checkPlan(input)
    case 'push':
      return pushPlan(input)
    case 'import':
      return importPlan(input)
    case 'forget':
      return forgetPlan(input) ?? changePlan(input, world, specs)
    default:
      return changePlan(input, world, specs)
  }
}

function byName(a: MachineRecord, b: MachineRecord): number {
  return a.component < b.component ? -1 : a.component > b.component ? 1 : a.ordinal - b.ordinal
}

function live(input: PlanInput): MachineRecord[] {
  return input.machines.filter(({ status }) => status === 'installed' || status === 'ready')
}

function checkPlan(input: PlanInput): PlanBody {
  const units = new UnitList()
  for (const { component, name } of live(input)) units.add('check', { component, machine: name }, 'check asked for')
  return unchanged(input, units)
}

/** Units that change nothing that people are told of. */
function unchanged({ machines }: PlanInput, units: UnitList): PlanBody {
  return { units: units.finish(), changes: machines.map((row) => keep(row, machines)), refusals: [] }
}

function pushPlan(input: PlanInput): PlanBody {
  const { service, release, beside } = input
  const units = new UnitList()
  if (service === undefined) {
    for (const machine of live(input)) if (isUnderWay(machine)) addLevelling(units, machine)
    return unchanged(input, units)
  }
  const pushed = pushedTo(input, service)
  let before: string[] = []
  for (const machine of live(input)) {
    const component = pushed.get(machine.component)
    if (!component) continue
    const target = { component: component.name, machine: machine.name }
    const configure = units.add('configure', target, `${service} was changed at run time`)
    // What it is configured with may need what only this Kitbag's recipe installs.
    if (beside || !release || machine.installDigest === installDigest(release.spec, component)) continue
    units.need(configure, [units.add('install', target, 'this Kitbag has another recipe for it'), ...before])
    // It may start the service anew: one machine after the other.
    before = [configure]
  }
  return unchanged(input, units)
}

/** A service's own machines; of one that has none, those of other services that refer to it, which are changed in place. */
function pushedTo(input: PlanInput, service: string): Map<string, ResolvedComponent> {
  const { components } = expanded(input)
  const own = components.filter(({ name }) => name === service)
  const users = components.filter((component) => component.service !== undefined && refersTo(component, service))
  return new Map((own.length > 0 ? own : users).map((component) => [component.name, component]))
}

function changePlan(input: PlanInput, world: Expanded, specs: Map<string, ResolvedMachineSpec>): PlanBody {
  refuse(input, world)
  if (input.kind === 'forget') refuseLast(input, world)
  const fates = fatesOf(input, world.components)
  const known = new Set(world.components.map(({ name }) => name))
  const strange = input.machines.filter(({ component }) => !known.has(component))
  refuseUnplaced(input, strange)
  const orphans = input.kind === 'undo' || input.kind === 'forget' ? strange.filter(goesWith(input)) : strange
  const { units, updates } = changeUnits(input, world, fates, orphans, specs)
  const changes = changesOf(fates, orphans, updates, input)
  return { units, changes, refusals: input.kind === 'undo' ? [] : refusalsOf(changes, input) }
}

/** What cannot be, whatever there is now. */
function refuse(input: PlanInput, world: Expanded): void {
  refuseCopies(input, world)
  refuseSharing(input, world)
  refusePlainLinks(input, world)
}

/** Two databases that know nothing of each other are not one of twice the size. The blueprint is checked for it; a scale is checked here. */
function refuseCopies({ release, kind }: PlanInput, { components }: Expanded): void {
  const found = components.find(({ recipe, replicas }) => replicas > 1 && release?.spec.recipes[recipe]?.stateful)
  if (!found || kind === 'undo') return
  const message = `${found.recipe} holds data of its own: ${found.name} has one machine`
  const path = `components.${found.name}.replicas`
  throw new KitbagError('not-supported', message, {
    problems: [{ path, message, found: String(found.replicas), allowed: ['0', '1'] }],
  })
}
