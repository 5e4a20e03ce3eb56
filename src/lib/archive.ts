import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { pipeline, Readable } from 'node:stream'
import ignoreRules, { type Ignore } from 'ignore'
import { extract, type Header, pack } from 'tar-stream'
import { KitbagError } from '../model/errors.ts'

/** Bytes of the files of one archive, and entries in it. */
export const maxArchiveSize = 512 << 20
const maxEntries = 100_000
/** Bytes of an archive that is read into memory: a recipe folder. */
const maxUnpackedSize = 32 << 20

interface Entry {
  /** Below the folder, with `/`. */
  path: string
  kind: 'file' | 'directory' | 'link'
  executable: boolean
  size: number
  target?: string
}

interface Rules {
  /** Folder below the root that they stand in; `` for the root. */
  base: string
  rules: Ignore
}

async function rulesIn(root: string, base: string): Promise<Rules[]> {
  const texts = await Promise.all(
    ['.gitignore', '.kitbagignore'].map((name) => readFile(join(root, base, name), 'utf8').catch(() => '')),
  )
  return texts.some((text) => text !== '')
    ? [{ base, rules: ignoreRules({ ignorecase: false }).add(texts.join('\n')) }]
    : []
}

function isIgnored(path: string, directory: boolean, all: Rules[]): boolean {
  let ignored = false
  for (const { base, rules } of all) {
    const relative = base === '' ? path : path.slice(base.length + 1)
    const { ignored: yes, unignored } = rules.test(directory ? `${relative}/` : relative)
    ignored = yes || (ignored && !unignored)
  }
  return ignored
}

function refuse(root: string, path: string, message: string): never {
  throw new KitbagError('invalid-request', `${join(root, path)}: ${message}`, {
    fix: 'Take it out, or name it in .kitbagignore.',
  })
}

async function walk(root: string, base: string, inherited: Rules[], into: Entry[]): Promise<void> {
  const rules = [...inherited, ...(await rulesIn(root, base))]
  const names = (await readdir(join(root, base), { encoding: 'buffer' })).map((bytes) => {
    const name = bytes.toString('utf8')
    if (!bytes.equals(Buffer.from(name)) || /[\n\r]/.test(name))
      refuse(root, posix.join(base, JSON.stringify(name)), 'a name with a line break or bytes that are no UTF-8')
    return name
  })
  for (const name of names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
    const path = posix.join(base, name)
    const info = await lstat(join(root, path))
    if (name === '.git' || isIgnored(path, info.isDirectory(), rules)) continue
    const executable = (info.mode & 0o100) !== 0
    if (info.isDirectory()) {
      into.push({ path, kind: 'directory', executable: true, size: 0 })
      await walk(root, path, rules, into)
    } else if (info.isFile()) into.push({ path, kind: 'file', executable, size: info.size })
    else if (info.isSymbolicLink())
      into.push({ path, kind: 'link', executable: true, size: 0, target: await linkTarget(root, path) })
    else refuse(root, path, 'neither a file nor a folder nor a link')
    if (into.length > maxEntries) refuse(root, '', `more than ${maxEntries} files`)
  }
}

async function linkTarget(root: string, path: string): Promise<string> {
  const bytes = await readlink(join(root, path), { encoding: 'buffer' })
  const target = bytes.toString('utf8')
  if (!bytes.equals(Buffer.from(target)) || /[\n\r]/.test(target))
    refuse(root, path, 'a link whose target has a line break or bytes that are no UTF-8')
  if (leaves(path, target)) refuse(root, path, `a link that leaves the folder (${target})`)
  return target
}

/**
 * Whether a link at `path` may point out of the folder. `..` counts at the beginning only, where it climbs real folders; after a
 * name it might climb from where another link leads, so that is refused as well.
 */
function leaves(path: string, target: string): boolean {
  const parts = target.split('/').filter((part) => part !== '' && part !== '.')
  const climbs = parts.findIndex((part) => part !== '..')
  const up = climbs < 0 ? parts.length : climbs
  return posix.isAbsolute(target) || up > path.split('/').length - 1 || parts.slice(up).includes('..')
}

function header({ path, kind, executable, size, target }: Entry): Header {
  const mode = executable ? 0o755 : 0o644
  const type = kind === 'link' ? ('symlink' as const) : kind
  return {
    name: path,
    type,
    mode,
    size,
    mtime: new Date(0),
    uid: 0,
    gid: 0,
    uname: '',
    gname: '',
    ...(target !== undefined && { linkname: target }),
  } as Header
}

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
  const entries: Entry[] = []
  await walk(root, '', [], entries)
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
