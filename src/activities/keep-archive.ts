import { packFiles } from '../lib/archive/pack.ts'
import { sha256 } from '../lib/digest.ts'
import type { ActivityDeps } from './deps.ts'

/** Digests of what was made before or is being made, so that it is made once, whatever many nodes ask for it. */
const made = new Map<string, Promise<string>>()

/** Files as a blob of the tenant's, made when it is not stored yet. `key` names what they are made from. Gives the archive's digest. */
export async function keepArchive(
  deps: ActivityDeps,
  key: string,
  tenantId: string,
  make: () => Promise<Record<string, Buffer>>,
): Promise<string> {
  const known = await made.get(key)
  if (known !== undefined && (await deps.store.blobs.has(tenantId, [known])).length > 0) return known
  const making = keep(deps, tenantId, make)
  made.set(key, making)
  making.catch(() => made.delete(key))
  return making
}

async function keep(
  { store }: ActivityDeps,
  tenantId: string,
  make: () => Promise<Record<string, Buffer>>,
): Promise<string> {
  const bytes = await packFiles(await make())
  const digest = sha256(bytes)
  if ((await store.blobs.has(tenantId, [digest])).length === 0) await store.blobs.put(tenantId, digest, oneChunk(bytes))
  return digest
}

async function* oneChunk(bytes: Buffer): AsyncIterable<Buffer> {
  yield bytes
}
