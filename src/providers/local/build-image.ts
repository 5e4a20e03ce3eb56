import { mkdir, readdir, rename, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing } from '../../lib/state-file.ts'
import { KitbagError } from '../../model/errors.ts'
import { type BoxApt, readBoxApt } from './box-apt.ts'
import { customize, packages } from './image-recipe.ts'
import { imageId, imageRoot, imageWord, suites, unknownImage } from './images.ts'
import { withLock } from './lock.ts'
import { lastLine, tryRun } from './run.ts'

type Progress = (detail: string) => void

/** Bytes that a build needs for the moment; the finished image takes about 300 MB. */
const spaceNeeded = 800 * 1024 * 1024

/** Fifteen minutes: a slow mirror, not a dead one. */
const buildTimeout = 15 * 60_000

/**
 * Makes sure that an image is in the cache and gives the path of its root. Another process that builds the same one is waited for.
 * Throws `prerequisite-missing` when it cannot be built here, `not-supported` for an image that this version does not know.
 */
export async function ensureImage(cache: string, id: string, onProgress: Progress): Promise<string> {
  const root = imageRoot(cache, id)
  if (await exists(root)) return root
  const word = imageWord(id)
  if (!suites[word]) throw unknownImage(word)
  if (imageId(word) !== id) throw outdated(id, word)
  const folder = join(cache, 'images')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const lock = join(folder, `${id}.lock`)
  await withLock(
    lock,
    async () => {
      if (await exists(root)) return
      await build(folder, id, onProgress)
      await rm(lock, { force: true })
    },
    buildTimeout / 1000,
  )
  return root
}

async function build(folder: string, id: string, onProgress: Progress): Promise<void> {
  await removeRemains(folder, id)
  await requireSpace(folder)
  const temporary = join(folder, `${id}.${process.pid}.building`)
  const root = join(temporary, 'root')
  try {
    await mkdir(root, { recursive: true, mode: 0o755 })
    const apt = await readBoxApt()
    await debootstrap(root, suites[imageWord(id)] ?? '', apt, onProgress)
    onProgress('Making it like a cloud image')
    await inNamespace(['chroot', root, '/bin/sh', '-s'], { stdin: customize }, `setting up the image ${id}`)
    // On disk before it gets its name: an image that exists is whole, also after the box lost power.
    await tryRun('sync', ['--file-system', root])
    await rename(temporary, join(folder, id))
  } catch (error) {
    await rm(temporary, { recursive: true, force: true })
    throw error
  }
}

async function debootstrap(root: string, suite: string, apt: BoxApt, onProgress: Progress): Promise<void> {
  const args = ['--variant=minbase', `--include=${packages.join(',')}`, `--keyring=${await keyring()}`]
  await inNamespace(
    ['debootstrap', ...args, suite, root, apt.mirrors.main],
    {
      ...(apt.proxy && { env: { http_proxy: apt.proxy, https_proxy: apt.proxy } }),
      onLine: (line) => {
        if (line.startsWith('I: ')) onProgress(line.slice(3).replace(/\.\.\.$/, ''))
      },
    },
    `building the image of ${suite} from ${apt.mirrors.main}`,
  )
}

/**
 * Runs a command in a mount and process namespace of its own, so that nothing it mounts or leaves running outlives it; and it does
 * not outlive us.
 */
async function inNamespace(command: string[], options: Parameters<typeof tryRun>[2], what: string): Promise<void> {
  const args = [
    '--pdeathsig',
    'KILL',
    'unshare',
    '--mount',
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
    ...command,
  ]
  const { status, tail } = await tryRun('setpriv', args, { timeout: buildTimeout, ...options })
  if (status === 0) return
  throw new KitbagError('prerequisite-missing', `local: ${what} failed: ${lastLine(tail)}`, {
    output: tail,
    fix: 'Check that the package mirror of /etc/apt can be reached from this box, then try again.',
    retryable: true,
  })
}

async function keyring(): Promise<string> {
  const known = ['gpg', 'pgp'].map((ending) => `/usr/share/keyrings/debian-archive-keyring.${ending}`)
  for (const path of known) if (await exists(path)) return path
  throw new KitbagError(
    'prerequisite-missing',
    `local: Debian's archive keys are not on this box (${known.join(', ')})`,
    {
      fix: 'Install the package debian-archive-keyring.',
    },
  )
}

/** What a build that was killed left; we hold the lock, so nobody is at it. */
async function removeRemains(folder: string, id: string): Promise<void> {
  const remains = (await readdir(folder)).filter((name) => name.startsWith(`${id}.`) && name.endsWith('.building'))
  await Promise.all(remains.map((name) => rm(join(folder, name), { recursive: true, force: true })))
}

async function requireSpace(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize >= spaceNeeded) return
  const mebibytes = (bytes: number) => `${Math.floor(bytes / 1024 / 1024)} MiB`
  const free = mebibytes(bavail * bsize)
  throw new KitbagError(
    'prerequisite-missing',
    `local: an image needs ${mebibytes(spaceNeeded)} in ${folder}, ${free} are free`,
    {
      fix: 'Free some disk space there.',
    },
  )
}

function outdated(id: string, word: string): KitbagError {
  return new KitbagError(
    'not-supported',
    `local: the image ${id} is not in the cache, and this version builds ${imageId(word)}`,
    {
      fix: 'Plan again, so that the plan pins the image of today.',
    },
  )
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}
