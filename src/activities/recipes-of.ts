import { unpackFiles } from '../lib/archive/unpack.ts'
import type { ReleaseSpec } from '../model/release.ts'
import { loadRecipe } from '../recipes/load.ts'
import type { Recipe } from '../recipes/recipe.ts'
import type { ActivityDeps } from './deps.ts'

/** By archive: a folder's content never changes. */
const kept = 100
const cache = new Map<string, Promise<Recipe>>()

/** The recipes of a release by the name that components use: the application's as they were when it was made, services' of today (ADR 23). */
export async function recipesOf(
  deps: ActivityDeps,
  tenantId: string,
  { recipes }: ReleaseSpec,
): Promise<Map<string, Recipe>> {
  const loading = Object.entries(recipes).map(async ([name, { digest, archive }]) => {
    const shipped = deps.recipes.get(name)
    const recipe = shipped?.signature.digest === digest ? shipped : await loadOnce(deps, tenantId, name, archive)
    return [name, recipe] as const
  })
  return new Map(await Promise.all(loading))
}

function loadOnce(deps: ActivityDeps, tenantId: string, name: string, archive: string): Promise<Recipe> {
  const key = `${tenantId}/${archive}/${name}`
  const known = cache.get(key)
  if (known) return known
  const loading = load(deps, tenantId, name, archive)
  cache.set(key, loading)
  loading.catch(() => cache.delete(key))
  const oldest = cache.keys().next().value
  if (cache.size > kept && oldest !== undefined) cache.delete(oldest)
  return loading
}

async function load({ store }: ActivityDeps, tenantId: string, name: string, archive: string): Promise<Recipe> {
  return loadRecipe(name, await unpackFiles(store.blobs.read(tenantId, archive)))
}
