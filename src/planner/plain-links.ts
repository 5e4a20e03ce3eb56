import type { ResolvedComponent } from '../model/blueprint.ts'
import { KitbagError, type Problem } from '../model/errors.ts'
import type { Expanded } from './expand.ts'
import { cloudIdOf } from './fate.ts'
import { componentNamed, linksOf } from './links.ts'
import type { PlanInput } from './plan-input.ts'

/**
 * What goes from one cloud to another crosses networks of others: it is encrypted, or there is no such deployment. Throws `not-supported`
 * with the place of each link that would be plain.
 */
export function refusePlainLinks(input: PlanInput, { components }: Expanded): void {
  if (input.kind === 'undo') return
  const problems = components.flatMap((user) =>
    linksOf(components, user.name).flatMap((name): Problem[] => {
      const owner = componentNamed(components, name)
      if (!owner || isEncrypted(user, owner) || cloudIdOf(input, user) === cloudIdOf(input, owner)) return []
      const path = user.service === undefined ? `components.${user.name}` : `toolkit.${user.name}`
      const message = `${user.name} refers to ${name}, which is at another cloud, and what they say to each other is not encrypted`
      return [{ path, message, found: name }]
    }),
  )
  const [first] = problems
  if (!first) return
  throw new KitbagError('not-supported', `${first.path}: ${first.message}`, {
    problems,
    fix: `Put both at one cloud, or an https listener in front of ${first.found} and refer to that.`,
  })
}

/** Monitoring comes by a door of its own (TLS on both sides), but for what an application tells by itself. */
function isEncrypted(user: ResolvedComponent, owner: ResolvedComponent): boolean {
  if (user.names) return true
  return user.observer ? owner.metrics === undefined : owner.scheme === 'https'
}
