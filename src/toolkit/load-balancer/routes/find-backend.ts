import { KitbagError } from '../../../model/errors.ts'
import type { LoadBalancerSpec } from '../schema.ts'
import { backendsOf, type PlacedTarget } from '../targets.ts'

/** The backend of that name. Throws `not-found` with those that there are. */
export function findBackend(spec: LoadBalancerSpec, name: string): PlacedTarget {
  const backends = backendsOf(spec)
  const found = backends.get(name)
  if (found) return found
  throw new KitbagError('not-found', `there is no backend ${name}`, {
    fix: `The backends are: ${[...backends.keys()].join(', ')}.`,
  })
}
