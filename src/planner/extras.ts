import type { ResolvedComponent } from '../model/blueprint.ts'

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
