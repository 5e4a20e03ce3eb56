import type { ResolvedComponent } from '../model/blueprint.ts'
import type { RecipeSignature } from '../model/recipe.ts'
import { referenceOwner, referencesIn } from '../model/value.ts'

interface Graph {
  byName: Map<string, ResolvedComponent>
  /** Component -> those that it refers to. */
  links: Map<string, string[]>
  /** Component -> those that refer to it, observers included. */
  users: Map<string, string[]>
  /** Component -> those that share its machines, in order of name. */
  guests: Map<string, string[]>
}

/** One graph per list: lists are never changed once made, and every digest of every machine asks. */
const graphs = new WeakMap<ResolvedComponent[], Graph>()

function graphOf(components: ResolvedComponent[]): Graph {
  const made = graphs.get(components)
  if (made) return made
  const byName = new Map(components.map((component) => [component.name, component]))
  const links = new Map<string, string[]>()
  const users = new Map<string, string[]>(components.map(({ name }) => [name, []]))
  for (const component of components) {
    const { name } = component
    const owners = referencesOf(component).map(referenceOwner)
    const known = [...new Set(owners)].filter((owner) => byName.has(owner) && owner !== name).sort()
    links.set(name, known)
    for (const owner of known) users.get(owner)?.push(name)
  }
  for (const names of users.values()) names.sort()
  const guests = new Map<string, string[]>()
  for (const { name, placement } of components)
    if (placement.with !== undefined) guests.set(placement.with, [...(guests.get(placement.with) ?? []), name].sort())
  const graph = { byName, links, users, guests }
  graphs.set(components, graph)
  return graph
}

/** Whether a component refers to the outputs of another or of a service. */
export function refersTo(component: ResolvedComponent, owner: string): boolean {
  return referencesOf(component).some((reference) => referenceOwner(reference) === owner)
}

export function componentNamed(components: ResolvedComponent[], name: string): ResolvedComponent | undefined {
  return graphOf(components).byName.get(name)
}

/** Every reference in what a component's machines are made from, with repeats. */
export function referencesOf({ settings, env, extras = [] }: ResolvedComponent): string[] {
  return [settings, env, ...extras.map((extra) => extra.settings)].flatMap(referencesIn)
}

/** Components that this one refers to, in order of name; itself excluded. */
export function linksOf(components: ResolvedComponent[], name: string): string[] {
  return graphOf(components).links.get(name) ?? []
}

/** Components that share this one's machines, in order of name. */
export function guestsOf(components: ResolvedComponent[], name: string): ResolvedComponent[] {
  return (graphOf(components).guests.get(name) ?? []).flatMap((guest) => componentNamed(components, guest) ?? [])
}

/** Components that refer to this one, in order of name. */
export function usersOf(components: ResolvedComponent[], name: string): string[] {
  return graphOf(components).users.get(name) ?? []
}

/** Components that refer to this one to use it: all but those that only look at it. */
export function consumersOf(components: ResolvedComponent[], name: string): string[] {
  return usersOf(components, name).filter((user) => !componentNamed(components, user)?.observer)
}

/** Whether `from` reaches `to` over links. */
export function reaches(components: ResolvedComponent[], from: string, to: string): boolean {
  const seen = new Set<string>()
  const open = [from]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (seen.has(name)) continue
    seen.add(name)
    const links = linksOf(components, name)
    if (links.includes(to)) return true
    open.push(...links)
  }
  return false
}

/** Whether files of a recipe's machines name the components that refer to it. A release of an older Kitbag does not say. */
export function usesConsumers(recipe: RecipeSignature | undefined): boolean {
  return recipe?.uses?.includes('consumers') ?? true
}

/** Whether files of a recipe's machines name the other machines of the same component. */
export function usesPeers(recipe: RecipeSignature | undefined): boolean {
  return recipe?.uses?.includes('peers') ?? false
}

/** Whether a component's own settings name its machines. */
export function namesItself(component: ResolvedComponent): boolean {
  return referencesOf(component).includes(`${component.name}.machines`)
}
