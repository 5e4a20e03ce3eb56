import type { Context, MiddlewareHandler } from 'hono'
import { KitbagError } from '../../model/errors.ts'
import type { ApiEnv } from '../deps.ts'
import { decodeUtf8, parseStrictJson } from './strict-json.ts'

/** Bytes of a JSON body, a blueprint's text included. */
const jsonLimit = 2 * 1024 * 1024
/** Bytes of an uploaded archive. */
const blobLimit = 512 * 1024 * 1024

const jsonType = /^application\/([\w.-]+\+)?json\s*(;|$)/i

/** Paths whose JSON bodies may be larger, and how many bytes they may have. */
export type LargeBodies = { path: RegExp; limit: number }[]

/**
 * Reads JSON bodies once, bounded and strictly, before any route sees them; a declared length over the limit is refused without
 * reading. Other bodies (blobs) only have their declared length checked here, their routes read them as streams.
 */
export function strictBody(large: LargeBodies): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const type = c.req.header('content-type') ?? ''
    const json = jsonType.test(type) || !c.req.path.startsWith('/v1/blobs/')
    const limit = json ? (large.find(({ path }) => path.test(c.req.path))?.limit ?? jsonLimit) : blobLimit
    const declared = Number(c.req.header('content-length') ?? 0)
    if (declared > limit) throw tooLarge(limit)
    if (jsonType.test(type)) await readJson(c, limit)
    return next()
  }
}

async function readJson(c: Context<ApiEnv>, limit: number): Promise<void> {
  const text = decodeUtf8(await readBounded(c.req.raw.body, limit))
  parseStrictJson(text)
  // Hono's cache of a read body holds promises, whatever its type says.
  c.req.bodyCache.text = Promise.resolve(text) as unknown as string
}

async function readBounded(body: ReadableStream<Uint8Array> | null, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.byteLength
    if (size > limit) throw tooLarge(limit)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

export function tooLarge(limit: number): KitbagError {
  const size = `${limit / 1024 / 1024} MiB`
  return new KitbagError('too-large', `the body is larger than ${size}`, {
    fix: `Send at most ${size}; sources and recipes go to /v1/blobs, up to 512 MiB each.`,
    problems: [{ path: '', message: `larger than ${size}` }],
  })
}
