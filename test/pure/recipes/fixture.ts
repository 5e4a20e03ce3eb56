import type { CompileOptions, HostProgram } from '../../../src/model/program.ts'
import type { Phase, RecipeContext } from '../../../src/model/recipe.ts'
import { compile } from '../../../src/recipes/compile.ts'
import { loadRecipe } from '../../../src/recipes/load.ts'
import { completeParameters } from '../../../src/recipes/parameters.ts'
import type { Recipe } from '../../../src/recipes/recipe.ts'

/** A recipe folder from texts. */
export function folder(files: Record<string, string | Buffer>): Record<string, Buffer> {
  return Object.fromEntries(Object.entries(files).map(([path, text]) => [path, Buffer.from(text as string)]))
}

/** A recipe whose `resources:` are the given YAML (other keys may stand above). */
export function recipe(yaml: string, files: Record<string, string | Buffer> = {}): Recipe {
  return loadRecipe('demo', folder({ 'recipe.yaml': `name: demo\n${yaml}`, ...files }))
}

export type ContextOverrides = Omit<Partial<RecipeContext>, 'parameters'> & { parameters?: Record<string, unknown> }

export function context(overrides: ContextOverrides = {}): RecipeContext {
  return {
    installation: 'ins_1',
    deployment: 'shop',
    component: 'web',
    machine: { name: 'web-1', address: '10.0.0.2', user: 'debian', cpu: 1, memory: 536_870_912 },
    env: {},
    release: { number: 1 },
    consumers: [],
    peers: [],
    ...overrides,
    parameters: overrides.parameters ?? {},
  }
}

export interface CompileRequest extends Partial<CompileOptions> {
  phase?: Phase
  context?: ContextOverrides
}

export function program(source: Recipe, request: CompileRequest = {}): HostProgram {
  const { phase = 'configure', context: overrides = {}, mode = 'apply', secrets = [], suppress = [] } = request
  const { parameters } = completeParameters(source.signature, overrides.parameters ?? {})
  return compile(source, phase, context({ ...overrides, parameters }), { mode, secrets, suppress })
}
