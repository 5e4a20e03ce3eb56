import { packFiles } from '../lib/archive.ts'
import { sha256 } from '../lib/digest.ts'
import type { ActivityDeps } from './deps.ts'

/** Digests of what was made before, so that it is made once. */
const made = new Map<string, string>()

/** Files as a blob of the tenant's, made when it is not stored yet. `key` names what they are made from. Gives the archive's digest. */
export async function keepArchive(
  { store }: ActivityDeps,
  key: string,
  tenantId: string,
  make: () => Promise<Record<string, Buffer>>,
): Promise<string> {
  const known = made.get(key)
  if (known !== undefined && (await store.blobs.has(tenantId, [known])).length > 0) return known
  const bytes = await packFiles(await make())
  const digest = sha256(bytes)
  if ((await store.blobs.has(tenantId, [digest])).length === 0) await store.blobs.put(tenantId, digest, oneChunk(bytes))
  made.set(key, digest)
  return digest
}

async function* oneChunk(bytes: Buffer): AsyncIterable<Buffer> {
  yield bytes
}
