import { type ParseOptions, parseBlueprint } from '../../../src/blueprints/parse.ts'
import type { ResolvedBlueprint } from '../../../src/model/blueprint.ts'
import { KitbagError, type Problem } from '../../../src/model/errors.ts'
import type { RecipeCatalog, RecipeSignature } from '../../../src/model/recipe.ts'
import { toolkit } from '../../../src/toolkit/registry.ts'

function signature(name: string, more: Partial<RecipeSignature>): RecipeSignature {
  const parameters = { type: 'object', properties: {}, additionalProperties: false }
  const phases = ['install', 'configure'] as RecipeSignature['phases']
  return { name, digest: name, kind: 'service', stateful: false, outputs: [], parameters, phases, ...more }
}

export const signatures: Record<string, RecipeSignature> = {
  nodejs: signature('nodejs', {
    kind: 'application',
    phases: ['install', 'migrate', 'configure'],
    parameters: {
      type: 'object',
      properties: { packages: { type: 'array', items: { type: 'string' }, maxItems: 3, default: [] } },
      additionalProperties: false,
    },
  }),
  postgresql: signature('postgresql', {
    stateful: true,
    defaultPort: 5432,
    outputs: ['database', 'user', 'password', 'url'],
    parameters: {
      type: 'object',
      properties: {
        database: { type: 'string', pattern: '^[a-z_]+$', default: 'app' },
        password: { type: 'string', minLength: 8, 'x-kitbag-secret': true },
        connections: { type: 'integer', minimum: 1, maximum: 1000 },
        level: { type: 'string', enum: ['minimal', 'replica', 'logical'] },
        configuration: { type: 'object', default: {} },
        replica: {
          type: 'object',
          properties: { host: { type: 'string', format: 'hostname' } },
          required: ['host'],
          additionalProperties: false,
        },
      },
      additionalProperties: false,
    },
  }),
  './recipes/cache': signature('cache', {
    defaultPort: 6379,
    outputs: ['url'],
    parameters: {
      type: 'object',
      properties: { size: { type: 'integer' }, seed: { type: 'string' } },
      required: ['size'],
      additionalProperties: false,
    },
  }),
}

export const catalog: RecipeCatalog = { get: (name) => signatures[name], names: () => Object.keys(signatures) }

export function parse(text: string, parameters: ParseOptions['parameters'] = {}): ResolvedBlueprint {
  return parseBlueprint(text, { file: 'blueprint.yaml', catalog, toolkit, parameters })
}

/** The problems that a text is refused with; empty when it is right. */
export function problemsOf(text: string, parameters: ParseOptions['parameters'] = {}): Problem[] {
  try {
    parse(text, parameters)
    return []
  } catch (error) {
    if (error instanceof KitbagError) return error.problems
    throw error
  }
}

/** `line:column path: message`, with what is near. */
export function lines(problems: Problem[]): string[] {
  return problems.map(({ line, column, path, message, nearest }) => {
    const near = nearest === undefined ? '' : ` (near ${nearest})`
    return `${line}:${column} ${path}: ${message}${near}`
  })
}
