import { placeOf, type ResolvedComponent } from '../model/blueprint.ts'
import { KitbagError } from '../model/errors.ts'
import type { PlanInput } from './plan-input.ts'

/** Id of the cloud that a component goes to. Throws `not-found` naming those there are. */
export function cloudIdOf(
  { clouds, cloudId }: Pick<PlanInput, 'clouds' | 'cloudId'>,
  component: ResolvedComponent,
): string {
  const { name, placement } = component
  const id = placement.cloud === undefined ? cloudId : clouds[placement.cloud]
  if (id) return id
  const found =
    placement.cloud === undefined
      ? `no cloud was given for ${name}`
      : `${placeOf(component)}.placement.cloud: there is no cloud ${placement.cloud}`
  const known = Object.keys(clouds).sort().join(', ') || 'none'
  throw new KitbagError('not-found', `${found}; known clouds: ${known}`, {
    fix: placement.cloud === undefined ? 'Name one: --cloud NAME.' : 'Connect it: kitbag cloud add.',
  })
}
