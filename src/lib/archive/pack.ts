import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pack } from 'tar-stream'
import { KitbagError } from '../../model/errors.ts'
import { type Entry, header, maxArchiveSize } from './entry.ts'
import { entriesOf } from './folder.ts'

/** A folder as one plain tar: the same contents give the same bytes on every machine. */
export interface PackedFolder {
  digest: string
  /** Bytes. */
  size: number
  /** The archive anew, for sending. */
  stream(): Readable
}

/**
 * Packs a folder: sorted, owners and times left out, .gitignore and .kitbagignore respected, `.git` never in it. The digest is that
 * of the uncompressed archive, because compressors differ between versions. Throws `invalid-request` naming the entry that cannot be in it.
 */
export async function packFolder(root: string): Promise<PackedFolder> {
  const info = await lstat(root).catch(() => undefined)
  if (!info?.isDirectory()) {
    const what = info ? (info.isSymbolicLink() ? 'a link' : 'not a folder') : 'not there'
    throw new KitbagError('invalid-request', `${root} is ${what}; a folder is needed`)
  }
  const entries = await entriesOf(root)
  const total = entries.reduce((sum, { size }) => sum + size, 0)
  if (total > maxArchiveSize)
    throw new KitbagError('too-large', `${root} has ${total} bytes; at most ${maxArchiveSize} are taken`, {
      fix: 'Name what is not needed in .kitbagignore.',
    })
  const hash = createHash('sha256')
  let size = 0
  const stream = () => Readable.from(bytesOf(root, entries))
  for await (const chunk of stream()) {
    hash.update(chunk as Buffer)
    size += (chunk as Buffer).length
  }
  return { digest: hash.digest('hex'), size, stream }
}

async function* bytesOf(root: string, entries: Entry[]): AsyncIterable<Buffer> {
  const tar = pack()
  const written = (async () => {
    for (const entry of entries) {
      if (entry.kind !== 'file') tar.entry(header(entry))
      else await writeFile(tar, entry, createReadStream(join(root, entry.path)))
    }
    tar.finalize()
  })()
  written.catch((error) => tar.destroy(error))
  try {
    for await (const chunk of tar) yield chunk as Buffer
    await written
  } finally {
    tar.destroy()
  }
}

function writeFile(tar: ReturnType<typeof pack>, entry: Entry, from: Readable): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) => {
      from.destroy()
      reject(
        new KitbagError('invalid-request', `${entry.path} could not be read whole: ${(cause as Error).message}`, {
          cause,
          fix: 'Run it again while nothing writes to the folder.',
        }),
      )
    }
    const into = tar.entry(header(entry), (error) => (error ? fail(error) : resolve()))
    from.on('error', fail)
    from.pipe(into)
  })
}

/** Files in memory as one archive, with the same rules. */
export async function packFiles(files: Record<string, Buffer>): Promise<Buffer> {
  const tar = pack()
  const paths = Object.keys(files).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  for (const path of paths) {
    const bytes = files[path] ?? Buffer.alloc(0)
    tar.entry(header({ path, kind: 'file', executable: false, size: bytes.length }), bytes)
  }
  tar.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of tar) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
