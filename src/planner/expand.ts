import { isDeepStrictEqual } from 'node:util'
import {
  type ComponentExtra,
  type Placement,
  placedBy,
  type ResolvedComponent,
  type ResolvedService,
} from '../model/blueprint.ts'
import { KitbagError } from '../model/errors.ts'
import type { JsonObject } from '../model/json.ts'
import type { ReleaseSpec } from '../model/release.ts'
import type { ToolkitPlan, ToolkitRegistry } from '../toolkit/contract.ts'
import { firewallName } from './firewall.ts'
import { authorityName, usesTls } from './tls.ts'

export interface ExpandedService {
  name: string
  kind: string
  spec: JsonObject
  members: string[]
}

export interface Expanded {
  /** The application's components, then the services' machines. */
  components: ResolvedComponent[]
  services: ExpandedService[]
  /** Component -> milliseconds between the last file that names a machine of it and the machine's end. */
  lingers: Map<string, number>
}

/** Application and services as one list of components, with stored scale overrides applied. Throws `not-supported` for a service of an older Kitbag. */
export function expand(
  release: ReleaseSpec,
  toolkit: ToolkitRegistry,
  overrides: Record<string, Record<string, JsonObject>>,
): Expanded {
  const { components, services } = release.blueprint
  const places = placesOf(release.blueprint)
  const scaled = components.map((component) => {
    const replicas = overrides.scale?.[component.name]?.replicas
    const placement = places.get(component.name) ?? component.placement
    return { ...component, placement, ...(typeof replicas === 'number' && { replicas }) }
  })
  const expanded: Expanded = { components: [...scaled], services: [], lingers: new Map() }
  const extras: Extra[] = []
  for (const { name, kind, spec, service } of observersLast(services, toolkit)) {
    const components = service.observes ? [...expanded.components] : scaled
    const plan: ToolkitPlan = service.plan({ name, spec: { ...spec, placement: { ...places.get(name) } }, components })
    const own = plan.components
    expanded.components.push(...(service.observes ? own.map((one) => ({ ...one, observer: true as const })) : own))
    expanded.services.push({ name, kind, spec, members: plan.members })
    extras.push(...(plan.extras ?? []).map((extra) => ({ ...extra, kind })))
    for (const [owner, ms] of Object.entries(plan.lingers ?? {}))
      expanded.lingers.set(owner, Math.max(ms, expanded.lingers.get(owner) ?? 0))
  }
  for (const component of expanded.components)
    if (usesTls(release, expanded.components, component))
      extras.push({ component: component.name, ...ownExtra(authorityName) })
  if (release.blueprint.firewall)
    for (const { name, placement } of expanded.components)
      if (placement.with === undefined) extras.push({ component: name, ...ownExtra(firewallName) })
  expanded.components = expanded.components
    .map((component, _, all) => onSharedMachines(component, all))
    .map((component) => withExtras(component, extras))
  return expanded
}

/**
 * Where everything of a blueprint is, by name: services' machines go where the blueprint says as far as their sections do not say so
 * themselves, and what shares machines is where these are.
 */
function placesOf({ components, services, placement: usual }: ReleaseSpec['blueprint']): Map<string, Placement> {
  const places = new Map<string, Placement>([
    ...components.map(({ name, placement }) => [name, placement] as const),
    ...services.map(({ name, spec }) => [name, placedBy(usual, spec.placement as Placement | undefined)] as const),
  ])
  for (const [name, { with: host }] of places)
    if (host !== undefined) places.set(name, { ...places.get(host), with: host })
  return places
}

/** A component that shares machines has them as their owner asks for them. */
function onSharedMachines(component: ResolvedComponent, all: ResolvedComponent[]): ResolvedComponent {
  const { with: host } = component.placement
  if (host === undefined) return component
  const owner = all.find(({ name }) => name === host)
  if (!owner || owner.placement.with !== undefined)
    throw new KitbagError('invalid-blueprint', `${component.name}: ${host} has no machines to share`)
  return { ...component, machine: owner.machine }
}

type Extra = ComponentExtra & { component: string }

/** One that no service asks for. */
function ownExtra(name: string): ComponentExtra {
  return { name, recipe: name, settings: {}, kind: name }
}

/** Services in the blueprint's order, those that look at the others' machines at the end. */
function observersLast(services: ResolvedService[], toolkit: ToolkitRegistry) {
  const known = services.map((one) => {
    const service = toolkit[one.kind]
    if (service) return { ...one, service }
    throw new KitbagError('not-supported', `the toolkit service ${one.kind} of this release is not known here`)
  })
  return [...known.filter(({ service }) => !service.observes), ...known.filter(({ service }) => service.observes)]
}

function withExtras(component: ResolvedComponent, all: Extra[]): ResolvedComponent {
  const own = all.filter((extra) => extra.component === component.name).map(({ component: _, ...extra }) => extra)
  // What several services ask for in the same words is there once, for all of them.
  const extras = own.filter((extra, i) => own.findIndex((other) => isDeepStrictEqual(other, extra)) === i)
  const twice = extras.find(({ name }, i) => extras.findIndex((other) => other.name === name) < i)
  if (twice)
    throw new KitbagError(
      'invalid-blueprint',
      `two toolkit services put ${twice.name} onto machines of ${component.name}, where only one can be`,
      { fix: `Leave one ${twice.kind} out; it may have several machines.` },
    )
  return extras.length === 0 ? component : { ...component, extras }
}
