import { completeServices } from '../blueprints/complete.ts'
import type { ReleaseSpec } from '../model/release.ts'
import { completeParameters } from '../recipes/parameters.ts'
import type { ToolkitRegistry } from '../toolkit/contract.ts'
import { expand } from './expand.ts'
import { extrasOf } from './extras.ts'

/** What this Kitbag has: its services, and its recipes with their archives, by name. */
export interface OwnParts {
  toolkit: ToolkitRegistry
  recipes: Map<string, ReleaseSpec['recipes'][string]>
}

/**
 * A stored release as this Kitbag can bring it about, whichever one stored it. A service and the recipes of its machines are two halves
 * of one thing: so sections get the defaults that came since, and services' recipes are this Kitbag's own, with the secrets that they
 * need. The application's recipes stay as they were. One with a service that is not known here stays as it is. Pure.
 */
export function completeRelease(stored: ReleaseSpec, { toolkit, recipes }: OwnParts): ReleaseSpec {
  const { blueprint } = stored
  if (blueprint.services.some(({ kind }) => !Object.hasOwn(toolkit, kind))) return stored
  const spec = { ...stored, blueprint: { ...blueprint, services: completeServices(blueprint.services, toolkit) } }
  const { components } = expand(spec, toolkit, {})
  const parts = components.flatMap((component) => [
    ...(component.service === undefined ? [] : [component]),
    ...extrasOf(component),
  ])
  const own: ReleaseSpec['recipes'] = {}
  const made: ReleaseSpec['secretVersions'] = {}
  for (const { name, recipe, settings } of parts) {
    const shipped = recipes.get(recipe)
    if (!shipped) continue
    own[recipe] = shipped
    for (const parameter of completeParameters(shipped, settings).generated) made[`${name}.${parameter}`] = 1
  }
  return {
    ...spec,
    recipes: { ...spec.recipes, ...own },
    secretVersions: { ...made, ...spec.secretVersions },
  }
}
