import type { ResolvedComponent } from '../model/blueprint.ts'
import { referenceOwner, referencesIn } from '../model/value.ts'

/** Components that this one refers to, in order of name; itself excluded. */
export function linksOf(components: ResolvedComponent[], component: ResolvedComponent): string[] {
  const known = new Set(components.map(({ name }) => name))
  const references = referencesIn(component.settings).concat(referencesIn(component.env))
  const owners = references.map(referenceOwner).filter((owner) => known.has(owner) && owner !== component.name)
  return [...new Set(owners)].sort()
}

/** Components that refer to this one. */
export function consumersOf(components: ResolvedComponent[], name: string): string[] {
  return components
    .filter((other) => linksOf(components, other).includes(name))
    .map((other) => other.name)
    .sort()
}

/** Whether `from` reaches `to` over links. */
export function reaches(components: ResolvedComponent[], from: string, to: string): boolean {
  const seen = new Set<string>()
  const open = [from]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const component = components.find((candidate) => candidate.name === name)
    if (!component || seen.has(name)) continue
    seen.add(name)
    const links = linksOf(components, component)
    if (links.includes(to)) return true
    open.push(...links)
  }
  return false
}
