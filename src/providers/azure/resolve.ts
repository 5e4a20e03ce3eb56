import { KitbagError } from '../../model/errors.ts'
import type { MachineRequirements, ResolvedMachineSpec } from '../../model/machine.ts'
import type { Catalog } from '../contract.ts'
import type { Azure } from './azure.ts'
import { patiently } from './failures.ts'
import { imageWords, resolveImage } from './images.ts'
import { listOffers, type Offer, suitable } from './offers.ts'

/** What Azure offers changes over weeks; within this time (ms) it is asked once. */
const offersLast = 60 * 60_000

/** What this cloud can give, read once and kept for a while, so that planning a hundred machines asks Azure once. */
export interface Offers {
  offers(): Promise<Offer[]>
  image(word: string): Promise<string>
}

export function keepOffers(azure: Azure): Offers {
  const kept = new Map<string, { until: number; value: Promise<unknown> }>()
  const once = <T>(key: string, ask: () => Promise<T>): Promise<T> => {
    const known = kept.get(key)
    if (known && known.until > Date.now()) return known.value as Promise<T>
    const value = ask()
    kept.set(key, { until: Date.now() + offersLast, value })
    value.catch(() => kept.delete(key))
    return value
  }
  const { region } = azure.settings
  return {
    offers: () => once('offers', () => patiently(`sizes of ${region}`, () => listOffers(azure))),
    image: (word) => once(`image ${word}`, () => patiently(`image ${word}`, () => resolveImage(azure, word))),
  }
}

export async function catalog({ settings }: Azure, kept: Offers): Promise<Catalog> {
  const words = imageWords(settings)
  const [offers, ids] = await Promise.all([
    kept.offers(),
    Promise.all(words.map((word) => kept.image(word).catch(absent))),
  ])
  return {
    regions: [{ id: settings.region, zones: zonesOf(offers) }],
    images: words.flatMap((word, i) => {
      const id = ids[i]
      return id === undefined ? [] : [{ word, id }]
    }),
    sizes: offers.map(({ id, cpu, memory }) => ({ id, cpu, memory })),
  }
}

/**
 * Portable words to Azure's. Replicas are spread over the zones by their ordinal; of a placement without zones, over all that have the
 * size. Throws `not-supported`.
 */
export async function resolve(
  azure: Azure,
  kept: Offers,
  requirements: MachineRequirements,
  placement: { region?: string; zones?: string[]; ordinal: number },
): Promise<ResolvedMachineSpec> {
  const { region } = azure.settings
  if (placement.region !== undefined && placement.region !== region) throw otherRegion(placement.region, region)
  const [image, offers] = await Promise.all([kept.image(requirements.image), kept.offers()])
  const { size: named, otherSizes } = azure.settings
  const all = suitable(offers, azure, requirements)
  const sizes = named === undefined || otherSizes ? all : all.slice(0, 1)
  const { zones: wanted, ordinal } = placement
  const unknown = wanted?.find((zone) => !zonesOf(offers).includes(zone))
  const isHere = ({ zones }: Offer) => !wanted || wanted.some((zone) => zones.includes(zone))
  const offer = unknown === undefined ? sizes.find(isHere) : undefined
  if (!offer) throw noZone(unknown === undefined ? (wanted ?? []) : [unknown], region, zonesOf(sizes))
  const zones = wanted?.filter((zone) => offer.zones.includes(zone)) ?? offer.zones
  const turn = (ordinal - 1) % Math.max(zones.length, 1)
  const [zone, ...otherZones] = [...zones.slice(turn), ...zones.slice(0, turn)]
  const place = zone === undefined ? {} : { zone, ...(otherZones.length > 0 && { otherZones }) }
  return { size: offer.id, image, region, ...place, requirements }
}

function zonesOf(offers: Offer[]): string[] {
  return [...new Set(offers.flatMap(({ zones }) => zones))].sort()
}

/** A region need not have every image; `resolve` says so when it is asked for. */
function absent(error: unknown): undefined {
  if (error instanceof KitbagError && error.code === 'not-supported') return undefined
  throw error
}

function otherRegion(asked: string, own: string): KitbagError {
  return new KitbagError('not-supported', `azure: there is no region "${asked}" here; this cloud is ${own}`, {
    fix: `Leave the region out, or connect ${asked} as a cloud of its own and place the component there.`,
  })
}

function noZone(asked: string[], region: string, known: string[]): KitbagError {
  const found = `azure: no zone of ${asked.join(', ')} in ${region} has such a size`
  return new KitbagError('not-supported', `${found}; zones that have: ${known.join(', ') || 'none'}`, {
    fix: 'Write other zones, or none.',
  })
}
