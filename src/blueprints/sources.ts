import { readDocument } from './document.ts'

/** Folders that a blueprint needs beside itself, as it writes them: applications' sources and the user's own recipes. Not validated: the server does. */
export function foldersOf(text: string, file: string): { sources: string[]; recipes: string[] } {
  const root = readDocument(text, file).value
  const components =
    (typeof root === 'object' && root !== null ? (root as { components?: unknown }).components : undefined) ?? {}
  const found = { sources: new Set<string>(), recipes: new Set<string>() }
  for (const component of Object.values(components)) {
    if (typeof component !== 'object' || component === null) continue
    const { source, runtime, recipe } = component as Record<string, unknown>
    if (typeof source === 'string') found.sources.add(source)
    for (const name of [runtime, recipe]) if (typeof name === 'string' && name.startsWith('./')) found.recipes.add(name)
  }
  return { sources: [...found.sources].sort(), recipes: [...found.recipes].sort() }
}
