import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pack } from 'tar-stream'
import { afterEach, describe, expect, test } from 'vitest'
import { packFiles, packFolder } from '../../../src/lib/archive/pack.ts'
import { checkArchive, unpackFiles } from '../../../src/lib/archive/unpack.ts'
import { sha256 } from '../../../src/lib/digest.ts'

const made: string[] = []
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function folder(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'kitbag-archive-'))
  made.push(root)
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  return root
}

async function bytesOf(root: string): Promise<Buffer> {
  const { stream } = await packFolder(root)
  const chunks: Buffer[] = []
  for await (const chunk of stream()) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

async function* once(bytes: Buffer): AsyncIterable<Uint8Array> {
  yield bytes
}

async function entries(root: string): Promise<string[]> {
  const listed = execFileSync('tar', ['-tf', '-'], { input: await bytesOf(root), encoding: 'utf8' })
  return listed.trim().split('\n')
}

type Entry = { name: string; type?: 'file' | 'directory' | 'symlink' | 'link' | 'fifo'; linkname?: string }

async function archive(...list: Entry[]): Promise<Buffer> {
  const tar = pack()
  for (const entry of list) {
    if ((entry.type ?? 'file') === 'file') tar.entry({ ...entry, type: 'file' }, 'x')
    else tar.entry(entry)
  }
  tar.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of tar) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

describe('packing a folder', () => {
  test('the same contents give the same bytes whatever their times, modes and order of making', async () => {
    const one = folder({ 'b.js': 'b', 'a/x.js': 'x', 'Z.txt': 'z' })
    const two = folder({ 'Z.txt': 'z', 'a/x.js': 'x', 'b.js': 'b' })
    utimesSync(join(two, 'b.js'), 1, 1)
    chmodSync(join(two, 'b.js'), 0o600)
    expect((await packFolder(two)).digest).toBe((await packFolder(one)).digest)
    expect(await entries(one)).toEqual(['Z.txt', 'a', 'a/x.js', 'b.js'])
  })

  test('what counts is in the digest: content, names, whether a file can be run', async () => {
    const digests = new Set<string>()
    for (const files of [{ a: '1' }, { a: '2' }, { b: '1' }]) digests.add((await packFolder(folder(files))).digest)
    const runnable = folder({ a: '1' })
    chmodSync(join(runnable, 'a'), 0o755)
    digests.add((await packFolder(runnable)).digest)
    expect(digests.size).toBe(4)
  })

  test('the digest is that of the bytes sent, and tar reads them', async () => {
    const root = folder({ 'deep/er/file': 'content', 'emoji 😀.txt': 'x', [`${'long/'.repeat(40)}name`]: 'y' })
    const { digest, size } = await packFolder(root)
    const bytes = await bytesOf(root)
    expect([sha256(bytes), bytes.length]).toEqual([digest, size])
    const to = folder({})
    execFileSync('tar', ['-xf', '-', '-C', to], { input: bytes })
    expect(execFileSync('diff', ['-r', root, to], { encoding: 'utf8' })).toBe('')
  })

  const ignored: [string, Record<string, string>, string[]][] = [
    ['.git never', { '.git/config': '', 'sub/.git': '', a: '' }, ['a', 'sub']],
    ['node_modules only if ignored', { 'node_modules/m.js': '', a: '' }, ['a', 'node_modules', 'node_modules/m.js']],
    ['a name anywhere', { '.gitignore': '*.log\n', 'a.log': '', 'b/c.log': '', 'b/d': '' }, ['.gitignore', 'b', 'b/d']],
    ['one taken back', { '.gitignore': '*.log\n!keep.log\n', 'a.log': '', 'keep.log': '' }, ['.gitignore', 'keep.log']],
    [
      'a folder',
      { '.gitignore': 'node_modules/\n', 'node_modules/m.js': '', 'x/node_modules': '' },
      ['.gitignore', 'x', 'x/node_modules'],
    ],
    ['upper case is another name', { '.gitignore': 'build\n', Build: '', build: '' }, ['.gitignore', 'Build']],
    ['at the top only', { '.gitignore': '/dist\n', 'dist/x': '', 'a/dist': '' }, ['.gitignore', 'a', 'a/dist']],
    ['nested rules', { 'a/.gitignore': 'x\n', 'a/x': '', 'a/b/x': '', x: '' }, ['a', 'a/.gitignore', 'a/b', 'x']],
    [
      'nested rules take back',
      { '.gitignore': '*.js\n', 'a/.gitignore': '!b.js\n', 'a/b.js': '', 'b.js': '' },
      ['.gitignore', 'a', 'a/.gitignore', 'a/b.js'],
    ],
    ['.kitbagignore beside', { '.kitbagignore': 'test\n', 'test/t.js': '', a: '' }, ['.kitbagignore', 'a']],
    [
      '.kitbagignore has the last word',
      { '.gitignore': 'dist\n', '.kitbagignore': '!dist\n', 'dist/x': '' },
      ['.gitignore', '.kitbagignore', 'dist', 'dist/x'],
    ],
  ]
  test.each(ignored)('leaves out %s', async (_, files, wanted) => {
    expect(await entries(folder(files))).toEqual(wanted)
  })

  test('links inside stay links', async () => {
    const root = folder({ 'a/file': 'x', 'b/c/d': '' })
    symlinkSync('../a/file', join(root, 'b/link'))
    symlinkSync('a', join(root, 'dangling-is-fine'))
    const to = folder({})
    execFileSync('tar', ['-xf', '-', '-C', to], { input: await bytesOf(root) })
    expect(execFileSync('readlink', [join(to, 'b/link')], { encoding: 'utf8' })).toBe('../a/file\n')
  })

  const outside: [string, string][] = [
    ['link', '/etc/passwd'],
    ['link', '../x'],
    ['a/link', '../../x'],
    ['link', 'a/../../x'],
    ['a/link', '../b/../../x'],
  ]
  test.each(outside)('refuses the link %s -> %s by name', async (path, target) => {
    const root = folder({ 'a/b': '' })
    symlinkSync(target, join(root, path))
    await expect(packFolder(root)).rejects.toThrow(`${join(root, path)}: a link that leaves the folder (${target})`)
  })

  test('a refused link that is ignored is none', async () => {
    const root = folder({ '.gitignore': 'current\n' })
    symlinkSync('/etc', join(root, 'current'))
    expect(await entries(root)).toEqual(['.gitignore'])
  })

  test('refuses special files, line breaks and bytes that are no UTF-8 in names', async () => {
    const pipe = folder({})
    execFileSync('mkfifo', [join(pipe, 'p')])
    await expect(packFolder(pipe)).rejects.toThrow(/p: neither a file nor a folder nor a link/)
    await expect(packFolder(folder({ 'a\nb': '' }))).rejects.toThrow(/"a\\nb": a name with a line break/)
    const bytes = folder({})
    writeFileSync(Buffer.concat([Buffer.from(`${bytes}/`), Buffer.from([0x61, 0xff])]), '')
    await expect(packFolder(bytes)).rejects.toThrow(/bytes that are no UTF-8/)
  })

  test('refuses what is no folder, and more than 512 MiB', async () => {
    const root = folder({ a: '' })
    await expect(packFolder(join(root, 'nothing'))).rejects.toThrow(/is not there; a folder is needed/)
    await expect(packFolder(join(root, 'a'))).rejects.toThrow(/is not a folder/)
    truncateSync(join(root, 'a'), (512 << 20) + 1)
    await expect(packFolder(root)).rejects.toMatchObject({ code: 'too-large' })
  })
})

describe('an archive from outside', () => {
  const refused: [string, Entry[], RegExp][] = [
    ['climbs', [{ name: '../evil' }], /"..\/evil": leaves the folder/],
    ['climbs in the middle', [{ name: 'a/../../evil' }], /leaves the folder/],
    ['absolute', [{ name: '/etc/passwd' }], /leaves the folder/],
    ['link out', [{ name: 'l', type: 'symlink', linkname: '/etc' }], /a link that leaves the folder \(\/etc\)/],
    ['link up', [{ name: 'a/l', type: 'symlink', linkname: '../..' }], /a link that leaves the folder/],
    [
      'through a link that climbs',
      [
        { name: 'a/b/l', type: 'symlink', linkname: '../..' },
        { name: 'm', type: 'symlink', linkname: 'a/b/l/../x' },
      ],
      /"m": a link that leaves/,
    ],
    [
      'written through a link',
      [{ name: 'l', type: 'symlink', linkname: 'a' }, { name: 'l/x' }],
      /"l\/x": lies below an entry that is no folder/,
    ],
    [
      'a folder that becomes a link',
      [
        { name: 'd', type: 'directory' },
        { name: 'd', type: 'symlink', linkname: 'e' },
      ],
      /"d": is in it twice/,
    ],
    ['hard link', [{ name: 'h', type: 'link', linkname: 'x' }], /of type link/],
    ['fifo', [{ name: 'p', type: 'fifo' }], /of type fifo/],
    ['line break', [{ name: 'a\nb' }], /line break/],
  ]
  test.each(refused)('is refused: %s', async (_, list, message) => {
    const bytes = await archive(...list)
    await expect(checkArchive(once(bytes))).rejects.toThrow(message)
    await expect(unpackFiles(once(bytes))).rejects.toMatchObject({ code: 'invalid-request' })
  })

  test('is refused when it is cut, no tar, or its source fails', async () => {
    const bytes = await packFiles({ a: Buffer.alloc(5000, 'a') })
    await expect(checkArchive(once(bytes.subarray(0, 2000)))).rejects.toThrow(/not a whole tar archive/)
    await expect(checkArchive(once(Buffer.alloc(2048, 'no tar')))).rejects.toThrow(/not a whole tar archive/)
    async function* failing(): AsyncIterable<Uint8Array> {
      yield bytes.subarray(0, 600)
      throw new Error('the connection was cut')
    }
    await expect(checkArchive(failing())).rejects.toThrow(/the connection was cut/)
  })

  test('a recipe folder of more than 32 MiB is too large', async () => {
    const bytes = await packFiles({ a: Buffer.alloc((32 << 20) + 1) })
    await expect(unpackFiles(once(bytes))).rejects.toMatchObject({ code: 'too-large' })
    await expect(checkArchive(once(bytes))).resolves.toBeUndefined()
  })

  test('files come back as they went, `__proto__` like any other', async () => {
    const files = Object.fromEntries([
      ['recipe.yaml', Buffer.from('name: x')],
      ['deep/er/t.hbs', Buffer.from([0, 255, 10])],
      ['__proto__', Buffer.from('own')],
    ])
    const back = await unpackFiles(once(await packFiles(files)))
    expect(Object.entries(back).sort()).toEqual(Object.entries(files).sort())
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype)
  })

  test('what packFolder makes is right', async () => {
    await expect(checkArchive(once(await bytesOf(folder({ 'a/b': 'x' }))))).resolves.toBeUndefined()
  })
})
