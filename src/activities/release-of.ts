import type { Store } from '../db/store.ts'
import { KitbagError } from '../model/errors.ts'
import type { ReleaseRecord } from '../model/release.ts'

/** Releases never change: the last few are kept, because each unit of an operation asks for the same one. */
const kept = 64
const cache = new Map<string, ReleaseRecord>()

/** A release by number. Throws `not-found`. */
export async function releaseOf(
  store: Pick<Store, 'releases'>,
  deploymentId: string,
  number: number,
): Promise<ReleaseRecord> {
  const key = `${deploymentId}/${number}`
  const known = cache.get(key)
  if (known) return known
  const release = await store.releases.get(deploymentId, number)
  if (!release) throw new KitbagError('not-found', `there is no release ${number} of this deployment`)
  cache.set(key, release)
  const oldest = cache.keys().next().value
  if (cache.size > kept && oldest !== undefined) cache.delete(oldest)
  return release
}
