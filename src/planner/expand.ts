import type { ComponentExtra, ResolvedComponent, ResolvedService } from '../model/blueprint.ts'
import { KitbagError } from '../model/errors.ts'
import type { JsonObject } from '../model/json.ts'
import type { ReleaseSpec } from '../model/release.ts'
import type { ToolkitPlan, ToolkitRegistry } from '../toolkit/contract.ts'
import { firewallName } from './firewall.ts'

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
  const scaled = components.map((component) => {
    const replicas = overrides.scale?.[component.name]?.replicas
    return typeof replicas === 'number' ? { ...component, replicas } : component
  })
  const expanded: Expanded = { components: [...scaled], services: [], lingers: new Map() }
  const extras: Extra[] = []
  for (const { name, kind, spec, service } of observersLast(services, toolkit)) {
    const components = service.observes ? [...expanded.components] : scaled
    const plan: ToolkitPlan = service.plan({ name, spec, components })
    const own = plan.components
    expanded.components.push(...(service.observes ? own.map((one) => ({ ...one, observer: true as const })) : own))
    expanded.services.push({ name, kind, spec, members: plan.members })
    extras.push(...(plan.extras ?? []).map((extra) => ({ ...extra, kind })))
    for (const [owner, ms] of Object.entries(plan.lingers ?? {}))
      expanded.lingers.set(owner, Math.max(ms, expanded.lingers.get(owner) ?? 0))
  }
  if (release.blueprint.firewall)
    for (const { name, placement } of expanded.components)
      if (placement.with === undefined)
        extras.push({ component: name, name: firewallName, recipe: firewallName, settings: {}, kind: firewallName })
  expanded.components = expanded.components
    .map((component, _, all) => onSharedMachines(component, all))
    .map((component) => withExtras(component, extras))
  return expanded
}

/** A component that shares machines has them as their owner asks for them. */
function onSharedMachines(component: ResolvedComponent, all: ResolvedComponent[]): ResolvedComponent {
  const { with: host } = component.placement
  if (host === undefined) return component
  const owner = all.find(({ name }) => name === host)
  if (!owner || owner.placement.with !== undefined)
    throw new KitbagError('invalid-blueprint', `${component.name}: ${host} has no machines to share`)
  return { ...component, machine: owner.machine, placement: { ...owner.placement, with: host } }
}

type Extra = ComponentExtra & { component: string }

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
  const extras = all.filter((extra) => extra.component === component.name).map(({ component: _, ...extra }) => extra)
  const twice = extras.find(({ name }, i) => extras.findIndex((other) => other.name === name) < i)
  if (twice)
    throw new KitbagError(
      'invalid-blueprint',
      `two toolkit services put ${twice.name} onto machines of ${component.name}, where only one can be`,
      { fix: `Leave one ${twice.kind} out; it may have several machines.` },
    )
  return extras.length === 0 ? component : { ...component, extras }
}
