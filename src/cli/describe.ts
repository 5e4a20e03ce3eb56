import { readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import type { Client } from '../api/client.ts'
import { foldersOf } from '../blueprints/sources.ts'
import { packFolder } from '../lib/archive.ts'
import { KitbagError } from '../model/errors.ts'

export interface DescribeOptions {
  set?: string[]
  cloud?: string
}

/** Reads a blueprint, packs and uploads the folders beside it that the server does not have, and gives the body that names them all. */
export async function describeBlueprint(client: Client, file: string, options: DescribeOptions) {
  const text = await readFile(file).then(
    (bytes) => decode(bytes, file),
    (cause: NodeJS.ErrnoException) => {
      throw new KitbagError('invalid-request', `${file} cannot be read: ${cause.code}`, { cause })
    },
  )
  const folders = foldersOf(text, file)
  const packed = new Map<string, Awaited<ReturnType<typeof packFolder>>>()
  for (const folder of [...folders.sources, ...folders.recipes])
    packed.set(folder, await packFolder(join(dirname(file), folder)))
  await upload(client, [...packed.values()])
  const digests = (names: string[]) => Object.fromEntries(names.map((name) => [name, packed.get(name)?.digest ?? '']))
  return {
    blueprint: { text, file: basename(file) },
    parameters: Object.fromEntries((options.set ?? []).map(assignment)),
    sources: digests(folders.sources),
    recipes: digests(folders.recipes),
    ...(options.cloud !== undefined && { cloud: options.cloud }),
  }
}

function decode(bytes: Buffer, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new KitbagError('invalid-blueprint', `${file}: it is not UTF-8`, { cause })
  }
}

/** `k=v` */
export function assignment(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new KitbagError('invalid-request', `"${text}" is not of the form NAME=VALUE`)
  return [text.slice(0, at), text.slice(at + 1)]
}

async function upload(client: Client, archives: { digest: string; stream(): Readable }[]): Promise<void> {
  if (archives.length === 0) return
  const { missing } = await client.json<{ missing: string[] }>('POST', '/v1/blobs/missing', {
    digests: archives.map(({ digest }) => digest),
  })
  for (const { digest, stream } of archives.filter((archive) => missing.includes(archive.digest))) {
    await client.call('PUT', `/v1/blobs/${digest}`, { raw: Readable.toWeb(stream()) as ReadableStream<Uint8Array> })
  }
}
