import { readDocument } from './document.ts'
import { folderRule, isBeside } from './folder.ts'
import type { Path } from './path.ts'
import { refuse } from './text.ts'

/**
 * Folders that a blueprint needs beside itself, as it writes them: applications' sources and the user's own recipes. Throws
 * `invalid-blueprint` for one that is not beside it, because it is about to be packed; everything else the server checks.
 */
export function foldersOf(text: string, file: string): { sources: string[]; recipes: string[] } {
  const document = readDocument(text, file)
  const root = document.value
  const components =
    (typeof root === 'object' && root !== null ? (root as { components?: unknown }).components : undefined) ?? {}
  const found = { sources: new Set<string>(), recipes: new Set<string>() }
  for (const [name, component] of Object.entries(components)) {
    if (typeof component !== 'object' || component === null) continue
    for (const field of ['source', 'runtime', 'recipe'] as const) {
      const folder = (component as Record<string, unknown>)[field]
      if (typeof folder !== 'string' || (field !== 'source' && !folder.startsWith('./'))) continue
      const path: Path = ['components', name, field]
      if (!isBeside(folder)) {
        const { line = 1, column = 1 } = document.place(path)
        refuse(file, `${path.join('.')}: ${JSON.stringify(folder)} must be ${folderRule}`, { line, column })
      }
      found[field === 'source' ? 'sources' : 'recipes'].add(folder)
    }
  }
  return { sources: [...found.sources].sort(), recipes: [...found.recipes].sort() }
}
