import { KitbagError } from '../../model/errors.ts'
import type { Azure } from './azure.ts'
import type { Architecture } from './prices.ts'

interface Line {
  publisher: string
  offer: string
  sku: string
  architecture: Architecture
}

/** Official images, all of the second generation of virtual machines: word -> where its versions are listed. */
export const imageLines: Record<string, Line> = {
  'debian-12': { publisher: 'Debian', offer: 'debian-12', sku: '12-gen2', architecture: 'x64' },
  'debian-12-arm64': { publisher: 'Debian', offer: 'debian-12', sku: '12-arm64', architecture: 'arm64' },
  'debian-13': { publisher: 'Debian', offer: 'debian-13', sku: '13-gen2', architecture: 'x64' },
  'debian-13-arm64': { publisher: 'Debian', offer: 'debian-13', sku: '13-arm64', architecture: 'arm64' },
  'ubuntu-22.04': ubuntu('0001-com-ubuntu-server-jammy', '22_04-lts-gen2', 'x64'),
  'ubuntu-22.04-arm64': ubuntu('0001-com-ubuntu-server-jammy', '22_04-lts-arm64', 'arm64'),
  'ubuntu-24.04': ubuntu('ubuntu-24_04-lts', 'server', 'x64'),
  'ubuntu-24.04-arm64': ubuntu('ubuntu-24_04-lts', 'server-arm64', 'arm64'),
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
  const { publisher, offer, sku } = line
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

/** An own image is taken to be for the processors that most machines have. */
export function architectureOf(word: string): Architecture {
  const line = Object.hasOwn(imageLines, word) ? imageLines[word] : undefined
  return line?.architecture ?? (/arm64/i.test(word) ? 'arm64' : 'x64')
}

function ubuntu(offer: string, sku: string, architecture: Architecture): Line {
  return { publisher: 'Canonical', offer, sku, architecture }
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
