import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseBlueprint } from '../../src/blueprints/parse.ts'
import { packageRoot } from '../../src/lib/package-root.ts'
import type { Json } from '../../src/model/json.ts'
import type { RecipeCatalog } from '../../src/model/recipe.ts'
import type { ReleaseSpec } from '../../src/model/release.ts'
import type { Recipe } from '../../src/recipes/recipe.ts'
import { toolkit } from '../../src/toolkit/registry.ts'

export const guestbookText = readFileSync(join(packageRoot(), 'examples/guestbook/blueprint.yaml'), 'utf8')

export function catalogOf(recipes: Map<string, Recipe>): RecipeCatalog {
  return { get: (name) => recipes.get(name)?.signature, names: () => [...recipes.keys()] }
}

/** A release of a blueprint as the API would make it, with stand-in digests. */
export function releaseOf(
  text: string,
  recipes: Map<string, Recipe>,
  options: { parameters?: Record<string, Json>; source?: string } = {},
): ReleaseSpec {
  const blueprint = parseBlueprint(text, {
    file: 'blueprint.yaml',
    catalog: catalogOf(recipes),
    toolkit,
    parameters: options.parameters ?? {},
  })
  return {
    blueprint,
    text,
    sources: { './app': (options.source ?? 'a').repeat(64) },
    recipes: Object.fromEntries([...recipes].map(([name, { signature }]) => [name, { ...signature, archive: '' }])),
    secretVersions: { 'db.password': 1 },
  }
}
