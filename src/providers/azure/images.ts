import type { MachineSize } from '../../lib/machine-sizes.ts'
import { KitbagError } from '../../model/errors.ts'
import type { Azure } from './azure.ts'
import type { Settings } from './settings.ts'

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
 * Pins an image word to the newest version there is now, as `publisher:offer:sku:version`; a word of the settings, to what they say.
 * Throws `not-supported`.
 */
export async function resolveImage({ compute, settings }: Azure, word: string): Promise<string> {
  const { images: own, architecture, region } = settings
  const given = Object.hasOwn(own, word) ? own[word] : undefined
  if (given) return given.id
  const line = Object.hasOwn(imageLines, word) ? imageLines[word] : undefined
  if (!line) throw unknownImage(word, imageWords(settings))
  const { publisher, offer } = line
  const sku = line.sku[architecture]
  const versions = await compute.virtualMachineImages.list(region, publisher, offer, sku, {
    top: 1,
    orderby: 'name desc',
  })
  const version = versions[0]?.name
  if (version) return [publisher, offer, sku, version].join(':')
  throw new KitbagError('not-supported', `azure: ${region} has no image of ${publisher}:${offer}:${sku}`, {
    fix: "Write another image, or name one of your own under images in the cloud's settings.",
  })
}

/** Words that this cloud knows: of the official images, and of the settings. */
export function imageWords({ images }: Pick<Settings, 'images'>): string[] {
  return [...Object.keys(imageLines), ...Object.keys(images)]
}

/** Whether a pinned image is one of the publishers', of which it is known how large its disk is. */
export function isOfficial(image: string): boolean {
  return Object.values(imageLines).some(({ publisher, offer, sku }) =>
    Object.values(sku).some((one) => image.startsWith(`${publisher}:${offer}:${one}:`)),
  )
}

/** What a machine's disk is made from. */
export function imageReference(
  image: string,
): { id: string } | Record<'publisher' | 'offer' | 'sku' | 'version', string> {
  if (image.startsWith('/')) return { id: image }
  const [publisher = '', offer = '', sku = '', version = ''] = image.split(':')
  return { publisher, offer, sku, version }
}

function unknownImage(word: string, words: string[]): KitbagError {
  const known = words.join(', ')
  return new KitbagError('not-supported', `azure: there is no image "${word}"; known are ${known}`, {
    fix: `Write one of ${known}, or name one of your own under images in the cloud's settings.`,
  })
}
