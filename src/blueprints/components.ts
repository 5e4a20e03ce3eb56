import { placedBy, type ResolvedComponent } from '../model/blueprint.ts'
import type { RecipeCatalog, RecipeSignature } from '../model/recipe.ts'
import type { Value } from '../model/value.ts'
import { addIssues } from './issues.ts'
import type { Path } from './path.ts'
import { type Problems, show } from './problems.ts'
import { salvage } from './salvage.ts'
import { componentSchema, type ParsedComponent } from './schema.ts'
import { checkSettings } from './settings.ts'

type Placement = ResolvedComponent['placement']

interface Options {
  placement: Placement
  catalog: RecipeCatalog
  problems: Problems
}

/** Milliseconds: how a component with a port and without `health` is checked. */
const plainHealth = { interval: 500, timeout: 2000, grace: 60_000 }

/** Without members that are undefined. */
function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as never
}

/**
 * One component of the blueprint, parameters put in, with its recipe looked up and its defaults made explicit. Everything that is
 * wrong with it is told at once; undefined when too little of it is right to check the rest against.
 */
export function resolveComponent(name: string, value: unknown, options: Options): ResolvedComponent | undefined {
  const { catalog, problems } = options
  const path = ['components', name]
  const { issues, data } = salvage(componentSchema, value)
  addIssues(problems, path, issues, value)
  if (data === undefined) return undefined
  const told = issues.some(({ path: [field] }) => field === 'runtime' || field === 'recipe')
  const found = told ? undefined : findRecipe(data, path, catalog, problems)
  checkEnvironment(data.env, [...path, 'env'], problems)
  if (!found) return undefined
  const { key, signature } = found
  checkRole(value as Record<string, unknown>, data.replicas, key, signature, path, problems)
  // With a wrong one left out, any other stands for it: nothing is made from it.
  const port = data.port ?? signature.defaultPort ?? (issues.length > 0 ? 1 : undefined)
  if (data.health?.http !== undefined && port === undefined)
    problems.add([...path, 'health', 'http'], "needs the component's `port`")
  const metrics = typeof data.metrics === 'string' ? { path: data.metrics } : data.metrics
  if (metrics && metrics.port === undefined && port === undefined)
    problems.add([...path, 'metrics'], 'needs a port: its own, or that of the component')
  if (data.public !== false && port === undefined) problems.add([...path, 'public'], "needs the component's `port`")
  const settings = data.settings as Record<string, Value>
  checkSettings({ type: 'object', ...signature.parameters }, settings, [...path, 'settings'], problems)
  const health = data.health ?? (port === undefined ? undefined : plainHealth)
  const { source, start, migrate, replicas, machine, update } = data
  return {
    name,
    recipe: signature.name,
    replicas,
    machine: defined(machine),
    placement: placedBy(options.placement, defined(data.placement ?? {})),
    env: data.env as Record<string, Value>,
    settings,
    update,
    ...defined({
      source,
      start,
      migrate,
      port,
      health: health && defined(health),
      public: data.public === false ? undefined : data.public,
      metrics: metrics && { path: metrics.path, port: metrics.port ?? port ?? 1 },
    }),
  } as ResolvedComponent
}

function findRecipe(
  { runtime, recipe }: ParsedComponent,
  path: Path,
  catalog: RecipeCatalog,
  problems: Problems,
): { key: 'runtime' | 'recipe'; signature: RecipeSignature } | undefined {
  if ((runtime === undefined) === (recipe === undefined)) {
    const either = 'takes either `runtime` (an application, with `source` and `start`) or `recipe` (anything else)'
    problems.add(path, either, { at: 'key' })
    return undefined
  }
  const key = runtime === undefined ? 'recipe' : 'runtime'
  const name = runtime ?? recipe ?? ''
  const signature = catalog.get(name)
  if (signature) return { key, signature: { ...signature, name } }
  const hint = name.includes('/') && !name.startsWith('./') ? ': one of your own is written ./FOLDER' : ''
  problems.add([...path, key], `there is no recipe ${name}${hint}`, { unknown: name, allowed: catalog.names() })
  return undefined
}

/** What an application has to have, and what only an application may. */
function checkRole(
  given: Record<string, unknown>,
  replicas: number,
  key: 'runtime' | 'recipe',
  { name, kind, stateful }: RecipeSignature,
  path: Path,
  problems: Problems,
): void {
  const application = kind === 'application'
  if (application && key === 'recipe')
    problems.add([...path, key], `${name} runs applications: write \`runtime: ${name}\``, { at: 'key' })
  if (!application && key === 'runtime')
    problems.add([...path, key], `${name} runs no applications: write \`recipe: ${name}\``, { at: 'key' })
  for (const field of ['source', 'start', 'migrate'] as const) {
    if (!application && given[field] !== undefined)
      problems.add([...path, field], `only a component with \`runtime\` takes \`${field}\``, { at: 'key' })
    else if (application && given[field] === undefined && field !== 'migrate')
      problems.add([...path, field], `${field} is required beside \`runtime\``, { at: 'key' })
  }
  if (stateful && replicas > 1)
    problems.add([...path, 'replicas'], `${name} holds data of its own: it has one machine`, {
      found: String(replicas),
    })
}

/** Variables are text. What YAML reads as something that is written otherwise would not arrive as the user wrote it. */
function checkEnvironment(env: Record<string, unknown>, path: Path, problems: Problems): void {
  for (const [name, value] of Object.entries(env)) {
    const at = [...path, name]
    const plain = problems.plainText(at)
    if (value === null) problems.add(at, 'has no value: write "" for an empty one', { at: 'key' })
    else if (typeof value === 'object' || typeof value === 'string' || plain === undefined) continue
    else if (plain !== String(value))
      problems.add(at, `YAML reads ${plain} as ${value}: write it in quotes`, { found: show(value) })
  }
}
