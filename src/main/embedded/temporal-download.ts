import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import tar from 'tar-stream'
import { temporalVersion } from './temporal-version.ts'

/** Milliseconds until the vendor must have answered; the download itself may take as long as it needs to move on. */
const patience = 15_000

/** The vendor's own build, written to `target`. Throws with the reason. */
export async function downloadTemporal(target: string, signal?: AbortSignal): Promise<void> {
  const arch = process.arch === 'arm64' ? 'arm64' : 'amd64'
  const url = `https://temporal.download/cli/archive/v${temporalVersion}?platform=${process.platform}&arch=${arch}`
  const cut = new AbortController()
  const timer = setTimeout(() => cut.abort(new Error(`no answer within ${patience / 1000} s`)), patience)
  const giveUp = () => cut.abort(signal?.reason)
  signal?.addEventListener('abort', giveUp)
  let response: Response
  try {
    response = await fetch(url, { signal: cut.signal })
  } catch (error) {
    throw new Error(reasonOf(error), { cause: error })
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', giveUp)
  }
  if (!response.ok || !response.body) throw new Error(`answered ${response.status}`)
  await extract(Readable.fromWeb(response.body as never, signal ? { signal } : {}), target)
}

async function extract(archive: Readable, target: string): Promise<void> {
  const unpack = tar.extract()
  let found = false
  const entries = (async () => {
    for await (const entry of unpack) {
      if (entry.header.name.replace(/^\.\//, '') === 'temporal') {
        found = true
        await pipeline(entry, createWriteStream(target, { mode: 0o755 }))
      } else entry.resume()
    }
  })()
  await Promise.all([pipeline(archive, createGunzip(), unpack), entries])
  if (!found) throw new Error('the archive holds no program named temporal')
}

/** What `fetch` says is "fetch failed"; the reason is in the causes. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error
    ? reasonOf(error.cause)
    : error.message || String((error as { code?: string }).code)
}
