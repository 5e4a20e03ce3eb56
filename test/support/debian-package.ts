import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { cacheFolder } from '../../src/main/paths.ts'

const run = promisify(execFile)

/** A program kept in the cache of this box; `get` has it made in a folder that is removed afterwards, and returns where it is. */
export async function keptProgram(name: string, get: (folder: string) => Promise<string>): Promise<string> {
  const kept = join(cacheFolder(), 'bin', name)
  if (existsSync(kept)) return kept
  const folder = await mkdtemp(join(tmpdir(), `kitbag-${name}-get-`))
  try {
    const found = await get(folder)
    await mkdir(join(cacheFolder(), 'bin'), { recursive: true })
    const fresh = `${kept}.${process.pid}`
    await copyFile(found, fresh)
    await rename(fresh, kept)
    return kept
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** A program out of a Debian package, which is not installed. Throws what apt-get says. */
export async function fromPackage(folder: string, name: string, path: string): Promise<string> {
  const download = () => run('apt-get', ['download', name], { cwd: folder })
  // A fresh box has no package lists.
  await download().catch(async () => {
    await run('apt-get', ['update'])
    await download()
  })
  const file = (await readdir(folder)).find((one) => one.endsWith('.deb')) ?? ''
  await run('dpkg-deb', ['-x', basename(file), 'root'], { cwd: folder })
  return join(folder, 'root', path)
}
