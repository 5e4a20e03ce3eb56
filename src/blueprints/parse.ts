import { z } from 'zod'
import type { ResolvedBlueprint, ResolvedComponent } from '../model/blueprint.ts'
import { KitbagError } from '../model/errors.ts'
import type { Json } from '../model/json.ts'
import type { RecipeCatalog } from '../model/recipe.ts'
import { resolveComponent } from './components.ts'
import { readDocument } from './document.ts'
import { resolveParameters } from './parameters.ts'
import { Problems } from './problems.ts'
import { checkReferences } from './references.ts'
import {
  blueprintSchema,
  componentSchema,
  type ParameterDeclaration,
  type ParsedComponent,
  parameterSchema,
} from './schema.ts'
import { resolveServices, type ToolkitSchemas } from './services.ts'
import { substitute } from './substitute.ts'

export interface ParseOptions {
  /** Name of the file, for places. */
  file: string
  catalog: RecipeCatalog
  toolkit: ToolkitSchemas
  /** Given values; text is converted to the declared type. */
  parameters: Record<string, Json | string>
}

const reserved = ['parameters', 'secrets', 'overrides', 'placement', 'scale']

/** YAML text -> resolved blueprint. Throws `invalid-blueprint` with every problem, each with its place. Pure. */
export function parseBlueprint(text: string, options: ParseOptions): ResolvedBlueprint {
  const { file, catalog, toolkit } = options
  const document = readDocument(text, file)
  const problems = new Problems(document)
  const root = document.value
  if (typeof root !== 'object' || root === null || Array.isArray(root)) {
    problems.add([], 'a blueprint is a map with apiVersion, name, components, toolkit')
    throw failed(problems, file)
  }
  const { parameters: section, ...rest } = root as Record<string, unknown>
  const declared = declarations(section, problems)
  const parameters = resolveParameters(declared, options.parameters, problems)
  const substituted = substitute(rest, [], parameters, Object.keys(declared), problems) as Record<string, unknown>

  const parsed = blueprintSchema
    .omit({ parameters: true, components: true })
    .safeParse(without(substituted, 'components'))
  if (!parsed.success) problems.addIssues([], known(parsed.error.issues), substituted)
  const placement = parsed.success ? parsed.data.placement : {}
  const components = resolveComponents(substituted.components, { placement, catalog, toolkit }, problems)
  const services = resolveServices(mapOf(substituted.toolkit), toolkit, components.resolved, problems)
  const clash = services.find(
    ({ name }, i) => components.names.includes(name) || services.findIndex((other) => other.name === name) !== i,
  )
  if (clash)
    problems.add(
      ['toolkit', clash.kind],
      `the name ${clash.name} is taken: components and services share one namespace`,
    )
  const broken = [
    ...components.names.filter((name) => !components.resolved.some((c) => c.name === name)),
    ...unresolved(substituted.toolkit, services),
  ]
  const secrets = checkReferences(components.resolved, services, { catalog, toolkit, broken }, problems)
  if (components.names.length === 0 && Object.keys(mapOf(substituted.toolkit)).length === 0)
    problems.add([], 'it has neither components nor a toolkit')
  if (problems.list.length > 0 || !parsed.success) throw failed(problems, file)
  const { apiVersion, name } = parsed.data
  return {
    apiVersion,
    name,
    parameters,
    secrets,
    components: components.resolved,
    services,
    placement: placement as ResolvedBlueprint['placement'],
  }
}

function without(value: Record<string, unknown>, key: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key))
}

function mapOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

/** `components` and `parameters` are read apart, and are known fields all the same. */
function known(issues: z.core.$ZodIssue[]): z.core.$ZodIssue[] {
  return issues.map((issue) =>
    issue.code === 'unrecognized_keys' && issue.path.length === 0
      ? { ...issue, message: `${issue.message}, components, parameters` }
      : issue,
  )
}

function declarations(section: unknown, problems: Problems): Record<string, ParameterDeclaration> {
  const parsed = z.record(z.string(), z.unknown()).safeParse(section ?? {})
  if (!parsed.success) {
    problems.add(['parameters'], 'a map of parameter names')
    return {}
  }
  const found: Record<string, ParameterDeclaration> = {}
  for (const [name, value] of Object.entries(parsed.data)) {
    const declaration = parameterSchema.safeParse(value)
    if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(name))
      problems.add(['parameters', name], 'a name has letters, digits, _ and -', { at: 'key' })
    else if (declaration.success) found[name] = declaration.data
    else problems.addIssues(['parameters', name], declaration.error.issues, value)
  }
  return found
}

function resolveComponents(
  section: unknown,
  options: { placement: object; catalog: RecipeCatalog; toolkit: ToolkitSchemas },
  problems: Problems,
): { names: string[]; resolved: ResolvedComponent[] } {
  if (section !== undefined && (typeof section !== 'object' || section === null || Array.isArray(section))) {
    problems.add(['components'], 'a map of component names')
    return { names: [], resolved: [] }
  }
  const names: string[] = []
  const resolved: ResolvedComponent[] = []
  for (const [name, value] of Object.entries(mapOf(section))) {
    names.push(name)
    const path = ['components', name]
    if (!/^[a-z][a-zA-Z0-9]*(-[a-zA-Z0-9]+)*$/.test(name) || name.length > 40) {
      problems.add(
        path,
        'a name has at most 40 letters, digits and inner hyphens, and begins with a lower-case letter',
        { found: name.slice(0, 60), at: 'key' },
      )
    } else if (reserved.includes(name) || Object.hasOwn(options.toolkit, name)) {
      problems.add(path, `the name ${name} is reserved`, { allowed: [], at: 'key' })
    }
    const parsed = componentSchema.safeParse(withoutWith(value, path, problems))
    if (!parsed.success) {
      problems.addIssues(path, parsed.error.issues, value)
      continue
    }
    const component = resolveComponent(name, parsed.data as ParsedComponent, {
      ...options,
      placement: options.placement as ResolvedComponent['placement'],
      problems,
    })
    if (component) resolved.push(component)
  }
  return { names, resolved }
}

/** `placement.with` is designed and not built yet: named as such rather than as unknown. */
function withoutWith(value: unknown, path: string[], problems: Problems): unknown {
  const { placement, ...rest } = mapOf(value)
  if (!Object.hasOwn(mapOf(placement), 'with')) return value
  problems.add([...path, 'placement', 'with'], 'sharing a machine (`with`) is not built yet', { at: 'key' })
  return { ...rest, placement: without(mapOf(placement), 'with') }
}

function unresolved(section: unknown, services: { kind: string }[]): string[] {
  return Object.keys(mapOf(section)).filter((kind) => !services.some((service) => service.kind === kind))
}

function failed({ list }: Problems, file: string): KitbagError {
  const [first] = list
  const where = first?.line ? `${file}:${first.line}:${first.column}: ` : `${file}: `
  const more = list.length > 1 ? ` (and ${list.length - 1} more)` : ''
  return new KitbagError(
    'invalid-blueprint',
    `${where}${first?.path ? `${first.path}: ` : ''}${first?.message}${more}`,
    { problems: list },
  )
}
