import { createHash, randomUUID } from 'node:crypto'
import { and, asc, eq, gt, inArray, lt, sql } from 'drizzle-orm'
import { KitbagError } from '../model/errors.ts'
import type { Database } from './database.ts'
import { translated } from './failures.ts'
import { blobChunks, blobs } from './schema.ts'
import type { BlobStore } from './store.ts'

const chunkSize = 1024 * 1024
/** 512 MiB. */
const mostBytes = 512 * chunkSize

/**
 * An upload's chunks arrive under a name of its own (`upload:...`) and take their digest in the transaction that completes it: two
 * uploads of one blob do not meet, and a broken one is never seen.
 */
export function createBlobStore(db: Database, { largest = mostBytes } = {}): BlobStore {
  async function discard(tenantId: string, name: string): Promise<void> {
    await db.delete(blobChunks).where(and(eq(blobChunks.tenantId, tenantId), eq(blobChunks.digest, name)))
    await db.delete(blobs).where(and(eq(blobs.tenantId, tenantId), eq(blobs.digest, name)))
  }

  async function discardAbandoned(tenantId: string): Promise<void> {
    const old = await db
      .select({ digest: blobs.digest })
      .from(blobs)
      .where(
        and(
          eq(blobs.tenantId, tenantId),
          eq(blobs.complete, false),
          lt(blobs.createdAt, sql`now() - interval '1 day'`),
        ),
      )
    for (const { digest } of old) await discard(tenantId, digest)
  }

  async function complete(tenantId: string, upload: string, digest: string, size: number): Promise<void> {
    await db.transaction(async (tx) => {
      const [fresh] = await tx
        .insert(blobs)
        .values({ tenantId, digest, size, complete: true })
        .onConflictDoNothing()
        .returning({ digest: blobs.digest })
      const chunks = and(eq(blobChunks.tenantId, tenantId), eq(blobChunks.digest, upload))
      if (fresh) await tx.update(blobChunks).set({ digest }).where(chunks)
      else await tx.delete(blobChunks).where(chunks)
      await tx.delete(blobs).where(and(eq(blobs.tenantId, tenantId), eq(blobs.digest, upload)))
    })
  }

  return {
    async put(tenantId, digest, bytes) {
      await discardAbandoned(tenantId)
      const upload = `upload:${randomUUID()}`
      await db.insert(blobs).values({ tenantId, digest: upload, size: 0, complete: false })
      try {
        const hash = createHash('sha256')
        let size = 0
        let number = 0
        for await (const chunk of rechunk(bytes)) {
          size += chunk.length
          if (size > largest) throw tooLarge(largest)
          hash.update(chunk)
          await db.insert(blobChunks).values({ tenantId, digest: upload, number: number++, bytes: chunk })
        }
        const found = hash.digest('hex')
        if (found !== digest) throw otherDigest(digest, found)
        await complete(tenantId, upload, digest, size)
        return { size }
      } catch (error) {
        await discard(tenantId, upload).catch(() => {})
        throw error
      }
    },

    async has(tenantId, digests) {
      if (digests.length === 0) return []
      const rows = await db
        .select({ digest: blobs.digest })
        .from(blobs)
        .where(and(eq(blobs.tenantId, tenantId), eq(blobs.complete, true), inArray(blobs.digest, digests)))
      return rows.map((row) => row.digest)
    },

    async *read(tenantId, digest) {
      try {
        const [blob] = await db
          .select({ size: blobs.size })
          .from(blobs)
          .where(and(eq(blobs.tenantId, tenantId), eq(blobs.digest, digest), eq(blobs.complete, true)))
        if (!blob) throw new KitbagError('not-found', `no blob ${digest}`, { fix: 'Upload it first.' })
        for (let number = -1; ; ) {
          const [chunk] = await db
            .select({ number: blobChunks.number, bytes: blobChunks.bytes })
            .from(blobChunks)
            .where(and(eq(blobChunks.tenantId, tenantId), eq(blobChunks.digest, digest), gt(blobChunks.number, number)))
            .orderBy(asc(blobChunks.number))
            .limit(1)
          if (!chunk) return
          yield chunk.bytes
          number = chunk.number
        }
      } catch (error) {
        throw translated(error)
      }
    },
  }
}

/** The same bytes in pieces of 1 MiB; the last may be shorter. */
async function* rechunk(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let parts: Uint8Array[] = []
  let held = 0
  for await (let piece of bytes) {
    while (held + piece.length >= chunkSize) {
      const rest = chunkSize - held
      yield Buffer.concat([...parts, piece.subarray(0, rest)])
      piece = piece.subarray(rest)
      parts = []
      held = 0
    }
    if (piece.length > 0) parts.push(piece)
    held += piece.length
  }
  if (held > 0) yield Buffer.concat(parts)
}

function tooLarge(largest: number): KitbagError {
  return new KitbagError('too-large', `the archive is larger than ${largest / chunkSize} MiB`, {
    fix: 'Name what it need not hold in .kitbagignore.',
  })
}

function otherDigest(expected: string, found: string): KitbagError {
  return new KitbagError('invalid-request', `the bytes have the digest ${found}, not ${expected}`, {
    fix: 'The folder may have changed while it was read, or the upload was cut: send it again.',
  })
}
