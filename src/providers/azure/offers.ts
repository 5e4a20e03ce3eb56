import type { ResourceSku } from '@azure/arm-compute'
import type { MachineSize } from '../../lib/machine-sizes.ts'
import { KitbagError } from '../../model/errors.ts'
import type { MachineRequirements } from '../../model/machine.ts'
import type { Azure } from './azure.ts'
import { comparedPrice, knownSizes } from './prices.ts'

/** A size as the region offers it to this subscription. */
export interface Offer extends Omit<MachineSize, 'hourly'> {
  zones: string[]
  /** Sizes are compared by it; undefined: the table does not have it. */
  hourly?: number
}

/** Every size that can be had in the region now: of the price table, cheapest first, and the one that the settings name. */
export async function listOffers({ compute, settings }: Azure): Promise<Offer[]> {
  const priced = new Map(knownSizes.map((size) => [size.id.toLowerCase(), size]))
  const offers: Offer[] = []
  for await (const sku of compute.resourceSkus.list({ filter: `location eq '${settings.region}'` })) {
    const name = sku.name ?? ''
    const known = priced.get(name.toLowerCase())
    if (sku.resourceType !== 'virtualMachines' || !(known || name === settings.size)) continue
    const restricted = restrictionsOf(sku)
    if (restricted === 'everywhere') continue
    const capability = (wanted: string) => sku.capabilities?.find((one) => one.name === wanted)?.value
    const hourly = known && comparedPrice(known.id, settings.region)
    offers.push({
      id: name,
      cpu: Number(capability('vCPUs') ?? known?.cpu),
      memory: Number(capability('MemoryGB') ?? 0) * 2 ** 30 || (known?.memory ?? 0),
      architecture: capability('CpuArchitectureType') === 'Arm64' ? 'arm64' : 'amd64',
      zones: (sku.locationInfo?.[0]?.zones ?? []).filter((zone) => !restricted.includes(zone)).sort(),
      ...(hourly !== undefined && { hourly }),
    })
  }
  const price = ({ hourly }: Offer) => hourly ?? Number.POSITIVE_INFINITY
  return offers.sort((a, b) => price(a) - price(b) || (a.id < b.id ? -1 : 1))
}

/** Sizes that give what is asked for, in the order of preference. Throws `not-supported`. */
export function suitable(
  offers: Offer[],
  { settings }: Pick<Azure, 'settings'>,
  requirements: MachineRequirements,
): Offer[] {
  const { cpu, memory } = requirements
  const { architecture, size: named } = settings
  const enough = offers.filter(
    (offer) => offer.architecture === architecture && offer.cpu >= cpu && offer.memory >= memory,
  )
  if (named === undefined) {
    if (enough.length > 0) return enough
    const asked = `${cpu} cpu and ${Math.round(memory / 2 ** 20)} MiB`
    throw new KitbagError('not-supported', `azure: ${settings.region} offers no ${architecture} size with ${asked}`, {
      fix: 'Ask for less, or name a size in the settings of the cloud.',
    })
  }
  const offer = offers.find(({ id }) => id === named)
  if (offer && enough.includes(offer)) return [offer, ...enough.filter(({ id }) => id !== named)]
  const why = offer
    ? 'gives less than is asked for, or has another architecture'
    : `cannot be had in ${settings.region}`
  throw new KitbagError('not-supported', `azure: the size ${named} of the settings ${why}`, {
    fix: 'Name another size in the settings of the cloud, or none.',
  })
}

/** Zones in which the subscription may not have a size, or `everywhere`. */
function restrictionsOf({ restrictions = [] }: ResourceSku): 'everywhere' | string[] {
  if (restrictions.some(({ type }) => type === 'Location')) return 'everywhere'
  return restrictions.flatMap(({ restrictionInfo }) => restrictionInfo?.zones ?? [])
}
