import { posix } from 'node:path'
import { pipeline, Readable } from 'node:stream'
import { extract, type Header } from 'tar-stream'
import { KitbagError } from '../../model/errors.ts'
import { leaves, maxArchiveSize, maxEntries } from './entry.ts'

/** Bytes of an archive that is read into memory: a recipe folder. */
const maxUnpackedSize = 32 << 20

/** Reads an archive, giving each file after its entry was found harmless. Throws `invalid-request` naming the entry that is not. */
async function readArchive(
  bytes: AsyncIterable<Uint8Array>,
  limit: number,
  onFile: (path: string, content: AsyncIterable<unknown>) => Promise<void>,
): Promise<void> {
  const reader = extract()
  // A pipeline, because a source that fails has to fail the reader too.
  pipeline(Readable.from(bytes), reader, () => {})
  const check = entryCheck(limit)
  try {
    for await (const entry of reader) {
      check(entry.header)
      if (entry.header.type === 'file') await onFile(posix.normalize(entry.header.name), entry)
      else entry.resume()
    }
  } catch (error) {
    if (error instanceof KitbagError) throw error
    throw new KitbagError('invalid-request', `the upload is not a whole tar archive: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

function bad(name: string, why: string): never {
  const path = name.slice(0, 200)
  throw new KitbagError('invalid-request', `archive entry ${JSON.stringify(path)}: ${why}`, {
    problems: [{ path, message: why }],
  })
}

/** Looks at entry after entry; what one of them may be depends on those before. */
function entryCheck(limit: number): (header: Header) => void {
  const kinds = new Map<string, string>()
  let size = 0
  return ({ name, type: given, linkname, size: bytes }) => {
    const type = given ?? 'file'
    if (kinds.size >= maxEntries) bad(name, `more than ${maxEntries} entries`)
    size += bytes ?? 0
    if (size > limit) throw new KitbagError('too-large', `the archive unpacks to more than ${limit} bytes`)
    if (name === '' || posix.isAbsolute(name) || name.split('/').includes('..')) bad(name, 'leaves the folder')
    if (/[\0\n\r\uFFFD]/.test(name)) bad(name, 'a name with a line break, NUL or bytes that are no UTF-8')
    if (type !== 'file' && type !== 'directory' && type !== 'symlink')
      bad(name, `of type ${type}: only files, folders and links are taken`)
    const path = posix.normalize(name).replace(/\/$/, '')
    if (type === 'symlink' && (!linkname || leaves(path, linkname)))
      bad(name, `a link that leaves the folder (${linkname || 'nowhere'})`)
    const parents = path.split('/').map((_, i, parts) => parts.slice(0, i).join('/'))
    if (parents.some((parent) => (kinds.get(parent) ?? 'directory') !== 'directory'))
      bad(name, 'lies below an entry that is no folder')
    const before = kinds.get(path)
    if (before !== undefined && (before !== 'directory' || type !== 'directory')) bad(name, 'is in it twice')
    kinds.set(path, type)
  }
}

/** Throws unless every entry stays inside and is a file, a folder or a link inside. */
export function checkArchive(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  return readArchive(bytes, maxArchiveSize, async (_path, content) => {
    for await (const _chunk of content);
  })
}

/** A small archive (a recipe folder, 32 MiB at most) as files in memory. */
export async function unpackFiles(bytes: AsyncIterable<Uint8Array>): Promise<Record<string, Buffer>> {
  const files: [string, Buffer][] = []
  await readArchive(bytes, maxUnpackedSize, async (path, content) => {
    const chunks: Buffer[] = []
    for await (const chunk of content) chunks.push(chunk as Buffer)
    files.push([path, Buffer.concat(chunks)])
  })
  // Own properties whatever their names are, `__proto__` included.
  return Object.fromEntries(files)
}
