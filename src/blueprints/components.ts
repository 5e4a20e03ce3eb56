import type { ResolvedComponent } from '../model/blueprint.ts'
import type { RecipeCatalog } from '../model/recipe.ts'
import type { Value } from '../model/value.ts'
import type { Problems } from './problems.ts'
import type { ParsedComponent } from './schema.ts'
import { checkSettings } from './settings.ts'

type Placement = ResolvedComponent['placement']

/** Without members that are undefined. */
function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as never
}

/** One component with its recipe looked up and its defaults made explicit. undefined when its recipe is not known: reported. */
export function resolveComponent(
  name: string,
  parsed: ParsedComponent,
  options: { placement: Placement; catalog: RecipeCatalog; problems: Problems },
): ResolvedComponent | undefined {
  const { catalog, problems } = options
  const path = ['components', name]
  const { runtime, source, start, migrate, update, machine, health, replicas } = parsed
  const recipe = runtime ?? parsed.recipe
  if (recipe === undefined || (runtime !== undefined && parsed.recipe !== undefined)) {
    problems.add(path, 'takes either `runtime` (an application, with `source` and `start`) or `recipe` (anything else)')
    return undefined
  }
  const key = runtime === undefined ? 'recipe' : 'runtime'
  const signature = catalog.get(recipe)
  if (!signature) {
    problems.add([...path, key], `there is no recipe ${recipe}`, { unknown: recipe, allowed: catalog.names() })
    return undefined
  }
  const application = signature.kind === 'application'
  if (application && runtime === undefined)
    problems.add([...path, key], `${recipe} runs applications: write \`runtime: ${recipe}\``)
  if (!application && runtime !== undefined)
    problems.add([...path, key], `${recipe} runs no applications: write \`recipe: ${recipe}\``)
  for (const field of ['source', 'start', 'migrate'] as const) {
    if (!application && parsed[field] !== undefined)
      problems.add([...path, field], `only a component with \`runtime\` takes \`${field}\``, { at: 'key' })
  }
  if (application && source === undefined) problems.add(path, 'source is required beside `runtime`')
  if (application && start === undefined) problems.add(path, 'start is required beside `runtime`')
  if (signature.stateful && replicas > 1)
    problems.add([...path, 'replicas'], `${recipe} holds data of its own: it has one machine`, {
      found: String(replicas),
    })
  const port = parsed.port ?? signature.defaultPort
  if (health?.http !== undefined && port === undefined)
    problems.add([...path, 'health', 'http'], "needs the component's `port`")
  checkSettings({ type: 'object', ...signature.parameters }, parsed.settings as Value, [...path, 'settings'], problems)
  const checked = health ?? (port === undefined ? undefined : { interval: 500, timeout: 2000, grace: 60_000 })
  return {
    name,
    recipe,
    replicas,
    machine: defined(machine),
    placement: defined({ ...options.placement, ...parsed.placement }),
    env: parsed.env as Record<string, Value>,
    settings: parsed.settings as Record<string, Value>,
    update,
    ...defined({ source, start, migrate, port, health: checked && defined(checked) }),
  } as ResolvedComponent
}
