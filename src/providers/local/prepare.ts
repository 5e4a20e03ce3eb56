import { KitbagError } from '../../model/errors.ts'
import type { ProviderDriver } from '../contract.ts'
import { ensureImage } from './build-image.ts'
import { installHostPackages } from './host-packages.ts'
import { imageId } from './images.ts'

/** Host packages first, since the images are built with them; then the images side by side. */
export const prepare: NonNullable<ProviderDriver['prepare']> = async (environment, { images, onProgress }) => {
  const ids = [...new Set(images)].map((word) => ({ word, id: imageId(word) }))
  requireRoot()
  await installHostPackages((detail) => onProgress('host packages', detail))
  const results = await Promise.allSettled(
    ids.map(async ({ word, id }) => {
      await ensureImage(environment.cache, id, (detail) => onProgress(`image ${word}`, detail))
      onProgress(`image ${word}`, 'ready')
    }),
  )
  // All have come to their end before the first failure is told: nothing goes on behind the caller's back.
  const failed = results.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
}

function requireRoot(): void {
  if (process.platform !== 'linux') throw missing(`this is ${process.platform}`)
  if (process.getuid?.() !== 0) throw missing('this is not root')
}

function missing(found: string): KitbagError {
  return new KitbagError('prerequisite-missing', `local: machines on this box take Linux and root, and ${found}`, {
    fix: 'Run Kitbag as root on a Linux box, or connect a cloud of another kind.',
  })
}
