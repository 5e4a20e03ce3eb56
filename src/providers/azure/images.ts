import type { MachineSize } from '../../lib/machine-sizes.ts'
import { KitbagError } from '../../model/errors.ts'
import type { Azure } from './azure.ts'

type Architecture = MachineSize['architecture']

interface Line {
  publisher: string
  offer: string
  /** Of the second generation of virtual machines. */
  sku: Record<Architecture, string>
}

/** Official images: word -> where its versions are listed. */
export const imageLines: Record<string, Line> = {
  'debian-12': { publisher: 'Debian', offer: 'debian-12', sku: { amd64: '12-gen2', arm64: '12-arm64' } },
  'debian-13': { publisher: 'Debian', offer: 'debian-13', sku: { amd64: '13-gen2', arm64: '13-arm64' } },
  'ubuntu-22.04': {
    publisher: 'Canonical',
    offer: '0001-com-ubuntu-server-jammy',
    sku: { amd64: '22_04-lts-gen2', arm64: '22_04-lts-arm64' },
  },
  'ubuntu-24.04': {
    publisher: 'Canonical',
    offer: 'ubuntu-24_04-lts',
    sku: { amd64: 'server', arm64: 'server-arm64' },
  },
}

/** Smallest disk that the official images boot from, in bytes. */
export const smallestDisk = 30 * 2 ** 30

/**
 * Pins an image word to the newest version there is now, as `publisher:offer:sku:version`. An own image's resource id, or a pinned one,
 * stays as it is. Throws `not-supported`.
 */
export async function resolveImage({ compute, settings }: Azure, word: string): Promise<string> {
  if (isOwn(word)) return word
  const line = imageLines[word]
  if (!Object.hasOwn(imageLines, word) || !line) throw unknownImage(word)
  const { publisher, offer } = line
  const sku = line.sku[settings.architecture]
  const versions = await compute.virtualMachineImages.list(settings.region, publisher, offer, sku, {
    top: 1,
    orderby: 'name desc',
  })
  const version = versions[0]?.name
  if (version) return [publisher, offer, sku, version].join(':')
  throw new KitbagError('not-supported', `azure: ${settings.region} has no image of ${publisher}:${offer}:${sku}`, {
    fix: 'Write another image, or an own image id.',
  })
}

/** What a machine's disk is made from. */
export function imageReference(
  image: string,
): { id: string } | Record<'publisher' | 'offer' | 'sku' | 'version', string> {
  if (image.startsWith('/')) return { id: image }
  const [publisher = '', offer = '', sku = '', version = ''] = image.split(':')
  return { publisher, offer, sku, version }
}

function isOwn(word: string): boolean {
  return /^\/subscriptions\/.+\/(images|versions)\/[^/]+$/i.test(word) || /^[^:\s]+(:[^:\s]+){3}$/.test(word)
}

function unknownImage(word: string): KitbagError {
  const known = Object.keys(imageLines).join(', ')
  return new KitbagError('not-supported', `azure: there is no image "${word}"; known are ${known}`, {
    fix: `Write one of ${known}, publisher:offer:sku:version, or the resource id of an own image.`,
  })
}
