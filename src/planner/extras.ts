import type { ResolvedComponent } from '../model/blueprint.ts'
import { KitbagError } from '../model/errors.ts'
import type { ReleaseSpec } from '../model/release.ts'

/**
 * A component's extras as components of their own, as far as facts and secrets go: `web.node-exporter` has settings and generated
 * secrets, and neither source, environment nor port of the component.
 */
export function extrasOf({
  name,
  machine,
  placement,
  replicas,
  update,
  extras = [],
}: ResolvedComponent): ResolvedComponent[] {
  return extras.map((extra) => ({
    name: `${name}.${extra.name}`,
    recipe: extra.recipe,
    settings: extra.settings,
    env: {},
    machine,
    placement,
    replicas,
    update,
  }))
}

/** Throws `invalid-blueprint` for two components on the same machines that both need there what listens on one port. */
export function refuseSharedPorts({ recipes }: Pick<ReleaseSpec, 'recipes'>, components: ResolvedComponent[]): void {
  const taken = new Map<string, string>()
  for (const { name, placement, extras = [] } of components)
    for (const extra of extras) {
      if (!recipes[extra.recipe]?.opens?.some(({ port }) => port !== undefined)) continue
      const place = `${placement.with ?? name} ${extra.name}`
      const other = taken.get(place)
      if (other !== undefined)
        throw new KitbagError(
          'invalid-blueprint',
          `components.${name}.placement.with: ${name} and ${other} would both have ${extra.name} on the machines that they share, where only one can be`,
          { fix: 'Give one of them machines of its own.' },
        )
      taken.set(place, name)
    }
}
