import { constants } from 'node:fs'
import { access, mkdir, rename, rm } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { sleep } from '../../lib/clock.ts'
import { KitbagError } from '../../model/errors.ts'
import { tryLock } from './lock.ts'
import { lastLine, runProgram } from './run-program.ts'
import { buildTemporal } from './temporal-build.ts'
import { downloadTemporal } from './temporal-download.ts'
import { temporalVersion } from './temporal-version.ts'

export interface TemporalBinaryOptions {
  cache: string
  onProgress: (detail: string) => void
  env?: NodeJS.ProcessEnv
  signal?: AbortSignal
  /** Ways to get it that tests stand in for. */
  download?: typeof downloadTemporal
  build?: typeof buildTemporal
}

/** One that is here already: `TEMPORAL_CLI`, `temporal` on the PATH, or the cached one. */
export async function findTemporal(cache: string, env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  if (env.TEMPORAL_CLI) {
    if (await isExecutable(env.TEMPORAL_CLI)) return env.TEMPORAL_CLI
    throw new KitbagError('prerequisite-missing', `TEMPORAL_CLI is ${env.TEMPORAL_CLI}: that is no program`, {
      fix: 'Correct it, or leave it out.',
    })
  }
  const folders = (env.PATH ?? '').split(delimiter).filter(Boolean)
  for (const candidate of [...folders.map((folder) => join(folder, 'temporal')), cachedPath(cache)]) {
    if (await isExecutable(candidate)) return candidate
  }
  return undefined
}

/**
 * The Temporal server's program: one that is here, else the vendor's download, else built with Go; kept in the cache. One process gets
 * it, others wait for that. Throws `prerequisite-missing` with each way that failed, and why.
 */
export async function ensureTemporal(options: TemporalBinaryOptions): Promise<string> {
  const { cache, onProgress, env, signal } = options
  const here = await findTemporal(cache, env)
  if (here) return here
  await mkdir(join(cache, 'bin'), { recursive: true })
  const path = join(cache, 'temporal.lock')
  for (let told = false; ; told = true) {
    const taken = await tryLock(path)
    if ('lock' in taken) {
      try {
        return (await findTemporal(cache, env)) ?? (await getTemporal(options))
      } finally {
        await taken.lock.release()
      }
    }
    if (!told) onProgress(`waiting for process ${taken.pid}, which is getting Temporal`)
    await sleep(500, signal)
  }
}

async function getTemporal(options: TemporalBinaryOptions): Promise<string> {
  const { cache, onProgress, signal, download = downloadTemporal, build = buildTemporal } = options
  const fresh = join(cache, 'bin/temporal.new')
  const failures: string[] = []
  const ways: [string, () => Promise<void>][] = [
    ["the vendor's download", () => download(fresh, signal)],
    ['a build with Go', () => build(fresh, join(cache, 'temporal-build.new'), onProgress, signal)],
  ]
  for (const [name, get] of ways) {
    onProgress(`getting Temporal ${temporalVersion}: ${name}`)
    try {
      await get()
      await tryOut(fresh)
      await rename(fresh, cachedPath(cache))
      return cachedPath(cache)
    } catch (error) {
      failures.push(`${name}: ${error instanceof Error ? error.message : error}`)
      await rm(fresh, { force: true })
      signal?.throwIfAborted()
    }
  }
  throw new KitbagError('prerequisite-missing', `the Temporal server cannot be had (${failures.join('; ')})`, {
    fix: 'Install it (https://docs.temporal.io/cli) and name it in TEMPORAL_CLI, or set TEMPORAL_ADDRESS to a cluster.',
  })
}

async function tryOut(program: string): Promise<void> {
  const { status, output } = await runProgram(program, ['--version'], { timeout: 30_000 })
  if (status !== 0) throw new Error(`the program does not run here (${lastLine(output)})`)
}

function cachedPath(cache: string): string {
  return join(cache, 'bin/temporal')
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}
