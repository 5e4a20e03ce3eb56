import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { KitbagError } from '../../model/errors.ts'
import { canonicalJson } from '../../model/json.ts'
import { customize, packages } from './image-recipe.ts'

/** Portable image word -> Debian's name of the release. */
export const suites: Record<string, string> = { 'debian-12': 'bookworm', 'debian-13': 'trixie' }

/** Word and digest of all that decides what is in the image, so that a changed recipe is another image. */
export function imageId(word: string): string {
  const suite = suites[word]
  if (!suite) throw unknownImage(word)
  const recipe = { suite, architecture: process.arch, packages, customize }
  return `${word}-${createHash('sha256').update(canonicalJson(recipe)).digest('hex').slice(0, 12)}`
}

/** The portable word of an image id: `debian-13-0a1b2c3d4e5f` -> `debian-13`. */
export function imageWord(id: string): string {
  return id.replace(/-[0-9a-f]{12}$/, '')
}

/** Where an image's root file system is, once it has been built. */
export function imageRoot(cache: string, id: string): string {
  return join(cache, 'images', id, 'root')
}

export function unknownImage(word: string): KitbagError {
  const known = Object.keys(suites).join(', ')
  return new KitbagError('not-supported', `local: there is no image "${word}"; known are ${known}`, {
    fix: `Write one of ${known} as the machine's image.`,
  })
}
