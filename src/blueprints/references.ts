import type { ResolvedComponent, ResolvedService } from '../model/blueprint.ts'
import type { RecipeCatalog } from '../model/recipe.ts'
import { isConcat, isReference, type Value } from '../model/value.ts'
import type { Path } from './document.ts'
import type { Problems } from './problems.ts'
import type { ToolkitSchemas } from './services.ts'

const common = ['host', 'port', 'url', 'addresses', 'machines']

interface Scope {
  /** Component or service -> its outputs. */
  outputs: Map<string, string[]>
  problems: Problems
  secrets: Set<string>
}

function each(value: Value, path: Path, visit: (reference: string, path: Path) => void): void {
  if (isReference(value)) visit(value.$ref, path)
  else if (isConcat(value))
    for (const part of value.$concat) {
      if (typeof part !== 'string') visit(part.$ref, path)
    }
  else if (Array.isArray(value)) for (const [i, item] of value.entries()) each(item, [...path, i], visit)
  else if (typeof value === 'object' && value !== null)
    for (const [key, member] of Object.entries(value)) each(member, [...path, key], visit)
}

function check(reference: string, path: Path, { outputs, problems, secrets }: Scope): void {
  const [owner = '', name = '', ...rest] = reference.split('.')
  if (owner === 'secrets') {
    if (rest.length > 0 || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      problems.add(path, `a secret's name has letters, digits and _`, { found: reference })
    else secrets.add(name)
    return
  }
  const known = outputs.get(owner)
  if (!known) {
    problems.add(path, `\${${reference}}: there is no component ${owner}`, {
      unknown: owner,
      allowed: [...outputs.keys(), 'parameters', 'secrets'],
    })
  } else if (rest.length > 0 || !known.includes(name)) {
    const output = [name, ...rest].join('.')
    problems.add(path, `\${${reference}}: ${owner} has no output ${output}`, { unknown: output, allowed: known })
  }
}

/** Checks that every `${...}` names something that there is. Returns the names of given secrets, sorted. */
export function checkReferences(
  components: ResolvedComponent[],
  services: ResolvedService[],
  others: {
    catalog: RecipeCatalog
    toolkit: ToolkitSchemas /** Names whose own problems are reported already. */
    broken: string[]
  },
  problems: Problems,
): string[] {
  const outputs = new Map<string, string[]>()
  for (const { name, recipe } of components)
    outputs.set(name, [...new Set([...common, ...(others.catalog.get(recipe)?.outputs ?? [])])])
  for (const { name, kind } of services)
    outputs.set(name, [...new Set([...common, ...(others.toolkit[kind]?.outputs ?? [])])])
  const scope: Scope = { outputs, problems, secrets: new Set() }
  for (const component of components) {
    for (const section of ['env', 'settings'] as const) {
      each(component[section] as Value, ['components', component.name, section], (reference, path) => {
        if (!others.broken.includes(reference.split('.')[0] ?? '')) check(reference, path, scope)
      })
    }
  }
  return [...scope.secrets].sort()
}
