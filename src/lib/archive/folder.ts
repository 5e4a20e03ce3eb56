import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join, posix } from 'node:path'
import ignoreRules, { type Ignore } from 'ignore'
import { KitbagError } from '../../model/errors.ts'
import { type Entry, leaves, maxEntries } from './entry.ts'

/** Everything in a folder that no rule leaves out, in order of names. Throws `invalid-request` naming what cannot be in an archive. */
export async function entriesOf(root: string): Promise<Entry[]> {
  const entries: Entry[] = []
  await walk(root, '', [], entries)
  return entries
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
