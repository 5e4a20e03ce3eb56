import type { ResolvedComponent } from '../model/blueprint.ts'
import type { MachineRecord } from '../model/machine.ts'
import type { Reason } from '../model/plan.ts'
import type { Expanded } from './expand.ts'
import type { Fate } from './fate.ts'
import { componentNamed, consumersOf, linksOf, namesItself, usersOf, usesConsumers, usesPeers } from './links.ts'
import type { NumberedRelease, PlanInput } from './plan-input.ts'
import { type UnitList, unitId } from './units.ts'

export type Reasons = Reason[]

/** A release with its components, services' machines among them. */
export interface Former extends NumberedRelease {
  components: ResolvedComponent[]
}

/** What the parts of a change plan share while it is made. */
export interface ChangeContext {
  input: PlanInput
  world: Expanded
  /** Releases that machines may still be at: the one in force first. */
  formers: Former[]
  fates: Map<string, Fate>
  /** Machines of components that are no more. */
  orphans: MachineRecord[]
  units: UnitList
  /** Machine -> why it is touched. */
  updates: Map<string, Reasons>
}

/** Services that carry a component's traffic. */
export function servicesOf({ world }: ChangeContext, component: string): string[] {
  return world.services.filter(({ members }) => members.includes(component)).map(({ name }) => name)
}

/** Whether a component is the machines of a service that carries the member's traffic. */
export function carries(context: ChangeContext, component: string, member: string): boolean {
  return servicesOf(context, member).includes(component)
}

/** Components whose machines are named in this one's files: those that it uses, and as far as its recipe asks, its users and itself. */
export function namedBy({ world, input }: ChangeContext, component: ResolvedComponent): string[] {
  const { name, recipe } = component
  const signature = input.release?.spec.recipes[recipe]
  const consumers = usesConsumers(signature) ? consumersOf(world.components, name) : []
  const peers = usesPeers(signature) || namesItself(component) ? [name] : []
  return [...new Set([...linksOf(world.components, name), ...consumers, ...peers])]
}

/** Components in whose files this one's machines are named. */
export function namersOf(context: ChangeContext, name: string): ResolvedComponent[] {
  const { components } = context.world
  const candidates = new Set([...usersOf(components, name), ...linksOf(components, name), name])
  return [...candidates]
    .sort()
    .flatMap((candidate) => componentNamed(components, candidate) ?? [])
    .filter((candidate) => namedBy(context, candidate).includes(name))
}

/** Whether a machine was healthy once, so that services may be sending to it. */
export function mayServe({ status, releaseNumber }: MachineRecord): boolean {
  return (status === 'ready' || status === 'installed') && releaseNumber !== null
}

/** Names of a component's machines that the plan creates. */
export function made({ fates }: ChangeContext, component: string): string[] {
  return fates.get(component)?.create.map(({ name }) => name) ?? []
}

/** Names of a component's machines that the plan removes, replaced ones included. */
export function gone({ fates }: ChangeContext, component: string): string[] {
  return fates.get(component)?.remove.map(({ machine }) => machine.name) ?? []
}

/** How a machine ends: one that somebody else made is let go, unless it was named to be destroyed. */
export function endOf(
  { kind, deleteImported = [] }: PlanInput,
  { name, imported }: MachineRecord,
): 'destroy' | 'forget' {
  return kind === 'forget' || (imported && !deleteImported.includes(name)) ? 'forget' : 'destroy'
}

/** Id of the unit after which a machine is gone from here, one way or the other. */
export function endUnit({ units }: ChangeContext, machine: string): string {
  const forget = unitId('forget', machine)
  return units.has(forget) ? forget : unitId('destroy', machine)
}

/** Units after which a machine serves: back in every service's traffic, or healthy where there is none. */
export function servingUnits(context: ChangeContext, component: string, machine: string): string[] {
  const services = servicesOf(context, component)
  return services.length > 0 ? services.map((service) => unitId('join', machine, service)) : [unitId('ready', machine)]
}

/** Units after which a service's own machines have the configuration of this plan. Before that nobody leaves or joins: a fresh configuration begins with everybody in traffic. */
export function nodesReady({ fates }: ChangeContext, service: string): string[] {
  const own = fates.get(service)
  return own ? [...own.create, ...own.stay].map(({ name }) => unitId('ready', name)) : []
}
