import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { packageRoot } from '../lib/package-root.ts'
import { loadRecipe } from './load.ts'
import type { Recipe } from './recipe.ts'

/** The recipes that come with Kitbag, by name: the folders of /recipes. Throws `invalid-recipe` if one of them is broken. */
export async function shippedRecipes(folder = join(packageRoot(), 'recipes')): Promise<Map<string, Recipe>> {
  const entries = await readdir(folder, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  const recipes = await Promise.all(
    names.sort().map(async (name) => loadRecipe(name, await readFolder(join(folder, name)))),
  )
  return new Map(recipes.map((recipe) => [recipe.signature.name, recipe]))
}

/** A folder's regular files: path below it, with `/` -> content. */
export async function readFolder(folder: string): Promise<Record<string, Buffer>> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const pairs = await Promise.all(files.map(async (file) => [relative(folder, file), await readFile(file)] as const))
  return Object.fromEntries(pairs.sort(([a], [b]) => (a < b ? -1 : 1)))
}
