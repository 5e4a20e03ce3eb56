import type { ResolvedBlueprint, ResolvedComponent } from '../model/blueprint.ts'
import { KitbagError } from '../model/errors.ts'
import type { Json } from '../model/json.ts'
import type { RecipeCatalog } from '../model/recipe.ts'
import { resolveComponent } from './components.ts'
import { readDocument } from './document.ts'
import { addIssues } from './issues.ts'
import { Names } from './names.ts'
import { readDeclarations, resolveParameters } from './parameters.ts'
import { Problems, show } from './problems.ts'
import { checkReferences, declaredOutputs, type Owner, type Owners, type Section } from './references.ts'
import { salvage } from './salvage.ts'
import { frameSchema } from './schema.ts'
import { resolveServices, type ServiceEntry, serviceEntries } from './services.ts'
import { checkSharing, componentHouseholds, serviceHouseholds } from './sharing.ts'
import { substitute } from './substitute.ts'
import type { ToolkitSchemas, ToolkitSection } from './toolkit.ts'

export interface ParseOptions {
  /** Name of the file, for places. */
  file: string
  catalog: RecipeCatalog
  toolkit: ToolkitSchemas
  /** Given values; text is converted to the declared type. */
  parameters: Record<string, Json | string>
}

type Fields = Record<string, unknown>

/**
 * YAML text -> resolved blueprint. Throws `invalid-blueprint` with every problem, each with its place and in the order of the text;
 * `too-large` for more than 1 MiB. Pure.
 */
export function parseBlueprint(text: string, options: ParseOptions): ResolvedBlueprint {
  const { file, catalog, toolkit } = options
  const document = readDocument(text, file)
  const problems = new Problems(document)
  if (!isMap(document.value)) {
    problems.add([], 'a blueprint is a map with apiVersion, name, components and toolkit', {
      found: show(document.value),
    })
    throw failed(problems, file)
  }
  const { parameters: section, ...rest } = document.value
  const declarations = readDeclarations(section, problems)
  const parameters = resolveParameters(declarations, options.parameters, problems)
  const scope = { parameters, declared: declarations.names, problems }
  const { components: parts, toolkit: services, ...frame } = substitute(rest, [], scope) as Fields

  const head = salvage(frameSchema, frame)
  addIssues(problems, [], head.issues, frame)
  const names = new Names(Object.keys(toolkit), problems)
  const components = sectionOf('components', parts, problems)
  for (const name of Object.keys(components)) names.take(name, ['components', name])
  const entries = serviceEntries(sectionOf('toolkit', services, problems), toolkit, names, problems)
  if (Object.keys(components).length === 0 && Object.keys(sectionOf('toolkit', services, problems)).length === 0)
    problems.add([], 'it has neither components nor a toolkit')

  const placement = (head.data?.placement ?? {}) as ResolvedBlueprint['placement']
  const resolved = Object.entries(components).flatMap(
    ([name, value]) => resolveComponent(name, value, { placement, catalog, problems }) ?? placeholder(name),
  )
  const kinds = Object.keys(sectionOf('toolkit', services, problems))
  const owners = ownersOf(components, kinds, entries, catalog, toolkit)
  const secrets = checkReferences(sectionsOf(components, entries), owners, problems)
  const resolvedServices = resolveServices(entries, toolkit, resolved, problems)
  checkSharing(
    [...componentHouseholds(components, resolved), ...serviceHouseholds(entries, resolvedServices)],
    problems,
  )
  if (problems.any || !head.data) throw failed(problems, file)
  const { apiVersion, name, firewall } = head.data
  return {
    apiVersion,
    name,
    parameters,
    secrets,
    components: resolved,
    services: resolvedServices,
    placement,
    firewall,
  }
}

function isMap(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function sectionOf(name: string, value: unknown, problems: Problems): Fields {
  if (value === undefined || value === null) return {}
  if (isMap(value)) return value
  problems.add([name], `must be a map of ${name === 'toolkit' ? 'services' : name} by name`, { found: show(value) })
  return {}
}

/** Stands for a component whose problems were told, so that nobody says that it does not exist. */
function placeholder(name: string): ResolvedComponent {
  const machine = { cpu: 1, memory: 0, image: '' }
  const update = { maxUnavailable: 1, drain: 0 }
  return { name, recipe: '', port: 1, replicas: 1, machine, placement: {}, env: {}, settings: {}, update }
}

function ownersOf(
  components: Fields,
  kinds: string[],
  entries: ServiceEntry[],
  catalog: RecipeCatalog,
  toolkit: ToolkitSchemas,
): Owners {
  return new Map([
    // A service that is not known has no entry and is an owner all the same.
    ...kinds.filter((kind) => !Object.hasOwn(toolkit, kind)).map((kind) => [kind, undefined] as const),
    ...Object.entries(components).map(([name, value]) => {
      const declared = declaredOutputs(value, catalog)
      return [name, declared && { declared, machines: true }] as const
    }),
    ...entries.map(({ name, kind, value }) => [name, ownerOf(toolkit[kind], value)] as const),
  ])
}

function ownerOf(section: ToolkitSection | undefined, value: unknown): Owner | undefined {
  if (!section) return undefined
  const { values, outputs } = section
  return values ? { declared: values.outputs(value), machines: false } : { declared: outputs, machines: true }
}

function sectionsOf(components: Fields, entries: ServiceEntry[]): Section[] {
  const ofComponents = Object.entries(components).flatMap(([owner, value]) =>
    ['env', 'settings'].map((field) => ({
      owner,
      value: isMap(value) ? value[field] : undefined,
      path: ['components', owner, field],
      settings: field === 'settings',
    })),
  )
  return [...ofComponents, ...entries.map(({ name, value, path }) => ({ owner: name, value, path, settings: false }))]
}

function failed(problems: Problems, file: string): KitbagError {
  const list = problems.sorted()
  const [first] = list
  const others = list.length - 1 + problems.dropped
  const where = first?.line ? `${file}:${first.line}:${first.column}: ` : `${file}: `
  const what = `${first?.path ? `${first.path}: ` : ''}${first?.message}`
  return new KitbagError('invalid-blueprint', `${where}${what}${others > 0 ? ` (and ${others} more)` : ''}`, {
    problems: list,
  })
}
