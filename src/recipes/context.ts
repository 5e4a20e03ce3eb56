import { createHash } from 'node:crypto'
import { canonicalJson, type JsonObject } from '../model/json.ts'
import type { RecipeContext } from '../model/recipe.ts'
import { ExpressionError, evaluateTemplate, type Template } from './expression.ts'
import { authorityFile } from './places.ts'
import type { Recipe } from './recipe.ts'

/** What recipes may name, and what is below each: `null`: a value; `'any'`: names that only the blueprint knows. */
export const contextShape = {
  installation: null,
  deployment: null,
  component: null,
  /** `kitbag-<component>` as a name for a system user: lower case, 32 characters at most. */
  account: null,
  machine: ['name', 'address', 'user', 'cpu', 'memory'],
  parameters: 'any',
  port: null,
  env: 'any',
  start: null,
  migrate: null,
  release: ['number'],
  source: ['digest', 'short'],
  consumers: null,
  peers: null,
  authority: ['file', 'certificate'],
  tls: ['certificate', 'key'],
  outputs: 'any',
  /** Of `forEach`. */
  item: 'any',
} as const satisfies Record<string, null | 'any' | readonly string[]>

/** Roots that hold facts of other machines, or may (`env` refers to other components). An install phase runs before those exist. */
export const laterRoots = ['consumers', 'peers', 'tls', 'env', 'outputs']

/** Roots that are numbers, so that a template may write them bare. */
export const numberPaths = ['port', 'machine.cpu', 'machine.memory', 'release.number']

/** A component's name as the name of a system account. */
function accountName(component: string): string {
  const kebab = `kitbag-${component.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
  if (kebab.length <= 32) return kebab
  const hash = createHash('sha256').update(component).digest('hex').slice(0, 7)
  return `${kebab.slice(0, 24)}-${hash}`
}

/** What expressions and templates look into: the context, names derived from it, and null for what is declared and not given. */
export function viewOf(recipe: Recipe, context: RecipeContext): Record<string, unknown> {
  const { parameters, source } = context
  const declared = Object.keys(declaredParameters(recipe.signature.parameters))
  const view: Record<string, unknown> = {
    installation: context.installation,
    deployment: context.deployment,
    component: context.component,
    account: accountName(context.component),
    machine: context.machine,
    parameters: { ...Object.fromEntries(declared.map((name) => [name, null])), ...parameters },
    port: context.port ?? recipe.signature.defaultPort ?? null,
    env: context.env,
    start: context.start ?? null,
    migrate: context.migrate ?? null,
    release: context.release,
    source: source ? { ...source, short: source.digest.slice(0, 16) } : null,
    consumers: context.consumers,
    peers: context.peers,
    authority: { file: authorityFile, certificate: context.authority ?? null },
    tls: context.tls ?? null,
  }
  view.outputs = lazyOutputs(recipe.definition.outputs, view)
  return view
}

/** The properties of a parameters schema. */
export function declaredParameters(schema: JsonObject): Record<string, JsonObject> {
  return (schema.properties ?? {}) as Record<string, JsonObject>
}

/** Outputs are evaluated when they are first read, so that one may refer to another. */
function lazyOutputs(templates: Record<string, Template>, view: Record<string, unknown>): Record<string, unknown> {
  const busy = new Set<string>()
  const outputs: Record<string, unknown> = {}
  for (const [name, template] of Object.entries(templates)) {
    Object.defineProperty(outputs, name, {
      enumerable: true,
      get() {
        if (busy.has(name)) throw new ExpressionError(`outputs.${name} refers to itself`)
        busy.add(name)
        try {
          return evaluateTemplate(template, view)
        } finally {
          busy.delete(name)
        }
      },
    })
  }
  return outputs
}

/** sha256 over a folder's paths and contents. */
export function folderDigest(files: Record<string, Buffer>): string {
  const sums = Object.entries(files).map(([path, bytes]) => [path, createHash('sha256').update(bytes).digest('hex')])
  return createHash('sha256')
    .update(canonicalJson(Object.fromEntries(sums)))
    .digest('hex')
}
