import { parseBlueprint } from '../blueprints/parse.ts'
import { packFiles } from '../lib/archive/pack.ts'
import { checkArchive, unpackFiles } from '../lib/archive/unpack.ts'
import { sha256 } from '../lib/digest.ts'
import type { ResolvedBlueprint } from '../model/blueprint.ts'
import { KitbagError, type Problem } from '../model/errors.ts'
import type { Json } from '../model/json.ts'
import type { ReleaseSpec } from '../model/release.ts'
import { expand } from '../planner/expand.ts'
import { extrasOf } from '../planner/extras.ts'
import { loadRecipe } from '../recipes/load.ts'
import { completeParameters } from '../recipes/parameters.ts'
import type { Recipe } from '../recipes/recipe.ts'
import type { ApiDeps } from './deps.ts'
import type { Description } from './schemas/submit.ts'

export interface PreparedRelease {
  spec: ReleaseSpec
  recipes: Map<string, Recipe>
}

/**
 * Everything that decides a release, checked together: blueprint, recipes, uploaded folders, secrets. Throws `invalid-blueprint` with
 * all problems. `deploymentId` absent (a plan for something new): generated secrets count as version 1, given ones are missing.
 */
export async function prepareRelease(
  deps: ApiDeps,
  description: Description,
  target: { tenantId: string; deploymentId?: string; store: boolean },
): Promise<PreparedRelease> {
  const recipes = await recipesFor(deps, description, target.tenantId)
  const blueprint = parseWith(deps, description, recipes)
  const used = usedRecipes(deps, blueprint, recipes)
  const problems: Problem[] = []
  const sources = await sourcesOf(deps, description, blueprint, target.tenantId, problems)
  const secretVersions = await versionsOf(deps, blueprint, used, target, problems)
  if (problems.length > 0) {
    const [first] = problems
    throw new KitbagError('invalid-blueprint', `${first?.path}: ${first?.message}`, { problems })
  }
  const archived = await Promise.all(
    [...used].map(
      async ([name, recipe]) =>
        [name, { ...recipe.signature, archive: await archiveOf(deps, recipe, target) }] as const,
    ),
  )
  return {
    spec: {
      blueprint,
      text: description.blueprint.text,
      sources,
      recipes: Object.fromEntries(archived),
      secretVersions,
    },
    recipes: used,
  }
}

/** Blueprint alone, for validation. */
export async function validateBlueprint(
  deps: ApiDeps,
  description: Description,
  tenantId: string,
): Promise<ResolvedBlueprint> {
  return parseWith(deps, description, await recipesFor(deps, description, tenantId))
}

function parseWith(
  deps: ApiDeps,
  { blueprint, parameters }: Description,
  recipes: Map<string, Recipe>,
): ResolvedBlueprint {
  const catalog = { get: (name: string) => recipes.get(name)?.signature, names: () => [...recipes.keys()] }
  return parseBlueprint(blueprint.text, {
    file: blueprint.file,
    catalog,
    toolkit: deps.toolkit,
    parameters: parameters as Record<string, Json>,
  })
}

/** Shipped recipes and the user's uploaded ones, by the name that the blueprint uses. */
async function recipesFor(
  { recipes, store }: ApiDeps,
  description: Description,
  tenantId: string,
): Promise<Map<string, Recipe>> {
  const all = new Map(recipes)
  for (const [name, digest] of Object.entries(description.recipes)) {
    const present = await store.blobs.has(tenantId, [digest])
    if (present.length === 0) throw missingBlob(name, digest)
    all.set(name, loadRecipe(name, await unpackFiles(store.blobs.read(tenantId, digest))))
  }
  return all
}

function missingBlob(folder: string, digest: string): KitbagError {
  return new KitbagError('invalid-request', `the folder ${folder} (${digest.slice(0, 12)}) was not uploaded`, {
    fix: `Upload its archive first: PUT /v1/blobs/${digest}`,
    problems: [{ path: folder, message: 'its archive was not uploaded' }],
  })
}

/** Recipes of the application and of the services' machines. */
function usedRecipes(deps: ApiDeps, blueprint: ResolvedBlueprint, recipes: Map<string, Recipe>): Map<string, Recipe> {
  const names = new Set(
    expand(withSignatures(blueprint, recipes), deps.toolkit, {}).components.flatMap(({ recipe, extras = [] }) => [
      recipe,
      ...extras.map((extra) => extra.recipe),
    ]),
  )
  return new Map([...recipes].filter(([name]) => names.has(name)))
}

/** As much of a release as what it consists of is found out from. */
function withSignatures(blueprint: ResolvedBlueprint, all: Map<string, Recipe>): ReleaseSpec {
  const recipes = Object.fromEntries([...all].map(([name, { signature }]) => [name, { ...signature, archive: '' }]))
  return { blueprint, text: '', sources: {}, recipes, secretVersions: {} }
}

async function sourcesOf(
  deps: ApiDeps,
  description: Description,
  blueprint: ResolvedBlueprint,
  tenantId: string,
  problems: Problem[],
): Promise<Record<string, string>> {
  const sources: Record<string, string> = {}
  for (const { name, source } of blueprint.components) {
    if (source === undefined || sources[source]) continue
    const digest = description.sources[source]
    const path = `components.${name}.source`
    if (!digest)
      problems.push({ path, message: `the folder ${source} was not uploaded with the blueprint`, found: source })
    else if ((await deps.store.blobs.has(tenantId, [digest])).length === 0)
      problems.push({ path, message: `the archive ${digest.slice(0, 12)} of ${source} was not uploaded` })
    else {
      await checkArchive(deps.store.blobs.read(tenantId, digest))
      sources[source] = digest
    }
  }
  return sources
}

async function versionsOf(
  { store, toolkit }: ApiDeps,
  blueprint: ResolvedBlueprint,
  recipes: Map<string, Recipe>,
  target: { deploymentId?: string; store: boolean },
  problems: Problem[],
): Promise<Record<string, number>> {
  const { deploymentId } = target
  const known = new Map(
    (deploymentId ? await store.secrets.list(deploymentId) : []).map(({ name, version }) => [name, version]),
  )
  const versions: Record<string, number> = {}
  for (const name of blueprint.secrets) {
    const version = known.get(name)
    if (version !== undefined) versions[name] = version
    else
      problems.push({
        path: `secrets.${name}`,
        message: `the secret ${name} is not set: kitbag secret set DEPLOYMENT ${name}`,
      })
  }
  const { components } = expand(withSignatures(blueprint, recipes), toolkit, {})
  for (const component of components.flatMap((one) => [one, ...extrasOf(one)])) {
    const recipe = recipes.get(component.recipe)
    if (!recipe) continue
    for (const parameter of completeParameters(recipe.signature, component.settings).generated) {
      const name = `${component.name}.${parameter}`
      versions[name] =
        target.store && deploymentId && problems.length === 0
          ? await store.secrets.ensureGenerated(deploymentId, name)
          : (known.get(name) ?? 1)
    }
  }
  return versions
}

/** The recipe's folder as a blob, so that a rollback uses the recipe of its release. */
async function archiveOf(
  { store }: ApiDeps,
  recipe: Recipe,
  target: { tenantId: string; store: boolean },
): Promise<string> {
  const bytes = await packFiles(recipe.files)
  const digest = sha256(bytes)
  if (target.store && (await store.blobs.has(target.tenantId, [digest])).length === 0) {
    await store.blobs.put(
      target.tenantId,
      digest,
      (async function* () {
        yield bytes
      })(),
    )
  }
  return digest
}
