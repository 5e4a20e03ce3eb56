import type { RecipeCatalog } from '../model/recipe.ts'
import { isConcat, isReference, type Value } from '../model/value.ts'
import type { Path } from './path.ts'
import type { Problems } from './problems.ts'

/** Outputs that every component has, and every service with machines. */
const common = ['host', 'port', 'url', 'addresses', 'machines']

/** A part of the blueprint in which references may stand. */
export interface Section {
  /** The component or service that it belongs to. */
  owner: string
  value: unknown
  path: Path
  /** Whether the owner's own outputs may be made from it. */
  settings: boolean
}

export interface Owner {
  /** Outputs that its recipe or service declares. */
  declared: string[]
  machines: boolean
}

/** By name; undefined: its outputs are not known, and why was told already. */
export type Owners = Map<string, Owner | undefined>

interface Use {
  reference: string
  path: Path
  section: Section
}

/** Outputs that a component's recipe declares. */
export function declaredOutputs(value: unknown, catalog: RecipeCatalog): string[] | undefined {
  const { runtime, recipe } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  const name = runtime ?? recipe
  return typeof name === 'string' ? catalog.get(name)?.outputs : undefined
}

/** Checks that every `${...}` names something that there is. Returns the names of given secrets, sorted. */
export function checkReferences(sections: Section[], owners: Owners, problems: Problems): string[] {
  const secrets = new Set<string>()
  const links = new Map<string, Use[]>()
  for (const section of sections) {
    for (const use of usesIn(section.value as Value, section.path, section)) {
      const [root = '', name = ''] = use.reference.split('.')
      if (root === 'secrets') checkSecret(use, secrets, problems)
      else checkOutput(use, owners, problems)
      const made = section.settings && owners.get(root)?.declared.includes(name)
      if (made) links.set(section.owner, [...(links.get(section.owner) ?? []), use])
    }
  }
  refuseCircles(links, problems)
  return [...secrets].sort()
}

function* usesIn(value: Value, path: Path, section: Section): Iterable<Use> {
  if (isReference(value)) yield { reference: value.$ref, path, section }
  else if (isConcat(value)) {
    for (const part of value.$concat) if (typeof part !== 'string') yield { reference: part.$ref, path, section }
  } else if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) yield* usesIn(item, [...path, i], section)
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) yield* usesIn(member, [...path, key], section)
  }
}

function checkSecret({ reference, path }: Use, secrets: Set<string>, problems: Problems): void {
  const name = reference.slice('secrets.'.length)
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) secrets.add(name)
  else problems.add(path, 'a secret’s name has letters, digits and _', { found: name })
}

function checkOutput({ reference, path }: Use, owners: Owners, problems: Problems): void {
  const [owner = '', ...rest] = reference.split('.')
  const name = rest.join('.')
  if (!owners.has(owner)) {
    const allowed = [...owners.keys(), 'parameters', 'secrets']
    problems.add(path, `\${${reference}}: there is no component ${owner}`, { unknown: owner, allowed })
    return
  }
  const found = owners.get(owner)
  if (!found) return
  const known = [...new Set([...(found.machines ? common : []), ...found.declared])]
  if (known.includes(name)) return
  problems.add(path, `\${${reference}}: ${owner} has no output ${name}`, { unknown: name, allowed: known })
}

/** Outputs are made from settings. Settings made from outputs that are made from these settings have no value. */
function refuseCircles(links: Map<string, Use[]>, problems: Problems): void {
  const visit = (owner: string, trail: string[]): void => {
    for (const { reference, path } of links.get(owner) ?? []) {
      const next = reference.split('.', 1)[0] ?? ''
      if (next === trail[0]) problems.add(path, `a circle of settings: ${[...trail, next].join(' -> ')}`)
      else if (!trail.includes(next)) visit(next, [...trail, next])
    }
  }
  for (const owner of links.keys()) visit(owner, [owner])
}
