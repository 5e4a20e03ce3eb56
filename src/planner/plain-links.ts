import { placeOf, type ResolvedComponent } from '../model/blueprint.ts'
import { KitbagError, type Problem } from '../model/errors.ts'
import { type MachineRecord, machineIdOf, preferredAddress } from '../model/machine.ts'
import { cloudIdOf } from './cloud-of.ts'
import { isTold, type World } from './digests.ts'
import type { Expanded } from './expand.ts'
import { componentNamed, linksOf } from './links.ts'
import type { PlanInput } from './plan-input.ts'
import { speaksTls } from './tls.ts'

/**
 * What goes from one cloud to another crosses networks of others: it is encrypted, or there is no such deployment. Throws `not-supported`
 * with the place of each link that would be plain.
 */
export function refusePlainLinks(input: PlanInput, { components }: Expanded): void {
  const { release } = input
  if (input.kind === 'undo' || !release) return
  const problems = components.flatMap((user) =>
    linksOf(components, user.name).flatMap((name): Problem[] => {
      const owner = componentNamed(components, name)
      if (!owner || isEncrypted(release.spec, user, owner) || cloudIdOf(input, user) === cloudIdOf(input, owner))
        return []
      const path = placeOf(user)
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

/**
 * The same where machines have nothing but public addresses, which is known when they are made. Throws `not-supported` before the machine of
 * the component that refers is configured.
 */
export function refusePublicLinks(
  { release, components, machines }: Pick<World, 'release' | 'components' | 'machines'>,
  name: string,
): void {
  const user = componentNamed(components, name)
  for (const link of user ? linksOf(components, name) : []) {
    const owner = componentNamed(components, link)
    if (!user || !owner || isEncrypted(release, user, owner)) continue
    const told = machines.filter((machine) => machine.component === link && isTold(machine))
    const own = new Set(machines.filter((machine) => machine.component === name).map(machineIdOf))
    // What stays on one machine crosses no network.
    const isApart = (row: MachineRecord) => own.size > 1 || !own.has(machineIdOf(row))
    const open = told.find((row) => preferredAddress(row.addresses)?.scope === 'public' && isApart(row))
    if (!open) continue
    const path = placeOf(user)
    const message = `${name} refers to ${link}, whose machine ${open.name} has a public address only, and what they say to each other is not encrypted`
    throw new KitbagError('not-supported', `${path}: ${message}`, {
      problems: [{ path, message, found: link }],
      fix: `Give its machines a private network, or put an https listener in front of ${link} and refer to that.`,
    })
  }
}

/** Monitoring comes by a door of its own, with certificates on both sides. */
function isEncrypted(release: World['release'], user: ResolvedComponent, owner: ResolvedComponent): boolean {
  if (user.names || user.observer || user.encrypts?.includes(owner.name) || speaksTls(release, owner)) return true
  return owner.scheme === 'https'
}
