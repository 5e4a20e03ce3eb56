import type { z } from 'zod'
import { KitbagError, type Problem } from '../model/errors.ts'
import type { Opening } from '../model/firewall.ts'
import type { JsonObject } from '../model/json.ts'
import type { Phase, RecipeSignature } from '../model/recipe.ts'
import { checkReferences } from './check-references.ts'
import { folderDigest } from './context.ts'
import { ExpressionError, parseTemplate, type Template } from './expression.ts'
import { type Report, reportIssue } from './issue.ts'
import { checkParameters } from './parameters.ts'
import { readResource } from './read-resource.ts'
import type { Recipe, ResourceDefinition } from './recipe.ts'
import { recipeSchema } from './schema.ts'
import { readYaml, type YamlSource } from './yaml.ts'

/** The file that makes a folder a recipe. */
const recipeFile = 'recipe.yaml'

type Place = ReturnType<YamlSource['place']>

/**
 * Reads a recipe's folder. `name` is what blueprints call it (`haproxy`, `./recipes/x`). Throws `invalid-recipe` carrying every
 * problem with file, line and column.
 */
export function loadRecipe(name: string, files: Record<string, Buffer>): Recipe {
  const bytes = files[recipeFile]
  if (!bytes) throw new KitbagError('invalid-recipe', `recipe ${name}: there is no ${recipeFile} in its folder`)
  const text = bytes.toString('utf8')
  if (!Buffer.from(text).equals(bytes))
    throw new KitbagError('invalid-recipe', `recipe ${name}: ${recipeFile} is not UTF-8`)
  const yaml = readYaml(text, recipeFile)
  const problems = [...yaml.problems]
  const report: Report = (path, message, { key, ...more } = {}) => {
    const place: Place = yaml.place(path, { key: key ?? false })
    problems.push({ path: path.map(String).join('.'), message, ...place, ...more })
  }
  if (problems.length > 0) throw invalid(name, problems)
  const top = recipeSchema.safeParse(withParameters(yaml.value))
  if (!top.success) {
    for (const issue of top.error.issues) reportIssue(issue, [], Object.keys(recipeSchema.shape), report)
    // Resources are read nonetheless, so that all problems come at once.
  }
  const raw = resourcesOf(yaml.value)
  const resources = raw.flatMap((entry, index) => readResource(entry, index, files, yaml, report) ?? [])
  if (!top.success) throw invalid(name, problems)
  const { data } = top
  const outputs: Record<string, Template> = {}
  for (const [key, value] of Object.entries(data.outputs)) {
    try {
      outputs[key] = parseTemplate(String(value))
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error
      report(['outputs', key], error.message)
    }
  }
  const parameters = data.parameters as JsonObject
  checkParameters(parameters, report)
  const recipe: Recipe = {
    signature: signatureOf(name, files, data, parameters, resources),
    files,
    definition: { description: data.description, outputs, resources },
  }
  checkReferences(recipe, report)
  if (problems.length > 0) throw invalid(name, problems)
  return recipe
}

function signatureOf(
  name: string,
  files: Record<string, Buffer>,
  data: z.infer<typeof recipeSchema>,
  parameters: JsonObject,
  resources: ResourceDefinition[],
): RecipeSignature {
  const phases: Phase[] = ['install', 'migrate', 'configure']
  // A word too many costs a needless configure, one too few would leave a file that is out of date.
  const uses = (['consumers', 'peers'] as const).filter((word) =>
    Object.values(files).some((bytes) => bytes.includes(word)),
  )
  return {
    name,
    digest: folderDigest(files),
    kind: data.kind,
    stateful: data.stateful,
    parameters,
    outputs: Object.keys(data.outputs).sort(),
    phases: phases.filter((phase) => resources.some((resource) => resource.phase === phase)),
    uses,
    ...(data.port !== undefined && { defaultPort: data.port }),
    ...(data.opens && { opens: data.opens as Opening[] }),
    ...(data.tls && { tls: true }),
    ...(data.loopback && { loopback: data.loopback }),
  }
}

/** `parameters:` may list the properties alone; a JSON Schema object says `type: object` or has `properties`. */
function withParameters(value: unknown): unknown {
  if (!isObject(value) || !isObject(value.parameters)) return value
  const { parameters } = value
  const whole = parameters.type === 'object' || isObject(parameters.properties)
  return whole ? value : { ...value, parameters: { properties: parameters } }
}

function resourcesOf(value: unknown): unknown[] {
  return isObject(value) && Array.isArray(value.resources) ? value.resources : []
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(name: string, problems: Problem[]): KitbagError {
  const [first] = problems
  const place = first?.line ? `${first.file}:${first.line}:${first.column}: ` : ''
  const path = first?.path ? `${first.path}: ` : ''
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
  const message = `recipe ${name}: ${place}${path}${first?.message ?? 'is invalid'}${more}`
  return new KitbagError('invalid-recipe', message, { problems })
}
