import { mostOtherSizes } from '../../lib/machine-sizes.ts'
import { KitbagError } from '../../model/errors.ts'
import type { MachineRequirements, ResolvedMachineSpec } from '../../model/machine.ts'
import type { Catalog } from '../contract.ts'
import type { Ec2 } from './client.ts'
import { type AwsImage, findImages, imageOf } from './images.ts'
import { kept } from './kept.ts'
import { findOffers } from './offers.ts'
import type { AwsSettings } from './settings.ts'
import { defaultDisk, sizes, suitable } from './sizes.ts'
import { findPlaces, findZones, type Place } from './subnets.ts'

const gibibyte = 2 ** 30

/** What the region has to offer, asked for once in some minutes. */
export interface Market {
  images(): Promise<AwsImage[]>
  /** Where machines go, unless each deployment has a network of its own. */
  places(): Promise<Place[]>
  zones(): Promise<string[]>
  catalog(): Promise<Catalog>
  resolve(
    requirements: MachineRequirements,
    placement: { region?: string; zones?: string[]; ordinal: number },
  ): Promise<ResolvedMachineSpec>
  /** What may be taken for a spec, in this order: its own size, and where the settings let, others; each with its zones. */
  sizesFor(spec: ResolvedMachineSpec): Promise<{ size: string; zones: string[] }[]>
}

export function market(ec2: Ec2, settings: AwsSettings): Market {
  const { region, network, size } = settings
  const images = kept(() => findImages(ec2, settings))
  const places = kept(() => findPlaces(ec2, settings))
  const available = kept(() => findZones(ec2))
  const offers = kept(() => findOffers(ec2, size === undefined ? [] : [size]))
  const zones = async () => (network.own ? available() : (await places()).map(({ zone }) => zone))

  return {
    images,
    places,
    zones,
    async catalog() {
      const [found, offered, all] = await Promise.all([images(), offers(), zones()])
      return {
        regions: [{ id: region, zones: all }],
        images: found.map(({ word, id }) => ({ word, id })),
        sizes: sizes
          .filter(({ id, architecture }) => architecture === settings.architecture && offered.has(id))
          .map(({ id, cpu, memory }) => ({ id, cpu, memory })),
      }
    },
    async resolve(requirements, placement) {
      if (placement.region !== undefined && placement.region !== region)
        throw new KitbagError('not-supported', `aws: this cloud is of ${region}, not of "${placement.region}"`, {
          fix: `Connect a cloud of that region (kitbag cloud add) and name it in the placement, or write ${region}.`,
        })
      const [found, offered, all] = await Promise.all([images(), offers(), zones()])
      const image = imageOf(found, requirements.image, settings.architecture)
      const allowed = placement.zones ?? all
      for (const zone of allowed) if (!all.includes(zone)) throw unknownZone(zone, all)
      const [chosen = ''] = suitable(requirements, settings, offered, allowed)
      const able = allowed.filter((zone) => offered.get(chosen)?.has(zone))
      const start = (placement.ordinal - 1) % able.length
      const [zone = '', ...otherZones] = [...able.slice(start), ...able.slice(0, start)]
      const disk = image.disk * gibibyte
      const larger = disk > Math.max(requirements.disk ?? 0, defaultDisk * gibibyte)
      return { size: chosen, image: image.id, region, zone, otherZones, ...(larger && { disk }), requirements }
    },
    async sizesFor({ size, zone = '', otherZones = [], requirements }) {
      if (!settings.otherSizes) return [{ size, zones: [zone, ...otherZones] }]
      const [offered, allowed] = [await offers(), [zone, ...otherZones]]
      const others = suitable(requirements, settings, offered, allowed).filter((id) => id !== size)
      const inZones = (id: string) => allowed.filter((one) => offered.get(id)?.has(one))
      return [
        { size, zones: allowed },
        ...others.slice(0, mostOtherSizes).map((id) => ({ size: id, zones: inZones(id) })),
      ]
    },
  }
}

function unknownZone(zone: string, known: string[]): KitbagError {
  return new KitbagError('not-supported', `aws: there is no zone "${zone}" here; known are ${known.join(', ')}`, {
    fix: 'Write zones of them in the placement, or none for all.',
  })
}
