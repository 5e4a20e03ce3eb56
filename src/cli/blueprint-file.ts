import { basename, dirname, join } from 'node:path'
import type { Client } from '../api/client.ts'
import { readDocument } from '../blueprints/document.ts'
import { foldersOf } from '../blueprints/sources.ts'
import { decodeBlueprint } from '../blueprints/text.ts'
import { packFolder } from '../lib/archive/pack.ts'
import { KitbagError } from '../model/errors.ts'
import { assignment } from './assignment.ts'
import { readBytes } from './read-file.ts'
import { upload } from './upload.ts'

export interface DescribeOptions {
  name?: string
  set?: string[]
  cloud?: string
}

/** A blueprint as it lies in the user's folder. */
export interface BlueprintFile {
  file: string
  text: string
}

/** Throws `invalid-request` when it cannot be read, `invalid-blueprint` with the place when it is no text, `too-large`. */
export async function readBlueprint(file: string): Promise<BlueprintFile> {
  return { file, text: decodeBlueprint(await readBytes(file), file) }
}

/** The deployment's name: the one given, else the blueprint's. */
export function deploymentName({ file, text }: BlueprintFile, given: string | undefined): string {
  if (given !== undefined) return given
  const root = readDocument(text, file).value as { name?: unknown } | null
  if (typeof root?.name === 'string') return root.name
  throw new KitbagError('invalid-blueprint', `${file}: the blueprint has no name`, {
    fix: 'Give it one, or say --name.',
  })
}

/** Packs and uploads the folders beside a blueprint that the server does not have, and gives the body that names them all. */
export async function describeBlueprint(client: Client, { file, text }: BlueprintFile, options: DescribeOptions) {
  const parameters = Object.fromEntries((options.set ?? []).map(assignment))
  const folders = foldersOf(text, file)
  const packed = new Map<string, Awaited<ReturnType<typeof packFolder>>>()
  for (const folder of [...folders.sources, ...folders.recipes])
    packed.set(folder, await packFolder(join(dirname(file), folder)))
  await upload(client, [...packed.values()])
  const digests = (names: string[]) => Object.fromEntries(names.map((name) => [name, packed.get(name)?.digest ?? '']))
  return {
    blueprint: { text, file: basename(file) },
    parameters,
    sources: digests(folders.sources),
    recipes: digests(folders.recipes),
    ...(options.cloud !== undefined && { cloud: options.cloud }),
  }
}
