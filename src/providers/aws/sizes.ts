import { byPrice, type MachineSize } from '../../lib/machine-sizes.ts'
import { KitbagError } from '../../model/errors.ts'
import type { MachineRequirements, ResolvedMachineSpec } from '../../model/machine.ts'
import type { AwsSettings } from './settings.ts'
import table from './sizes.json' with { type: 'json' }

const mebibyte = 2 ** 20
const gibibyte = 2 ** 30

/** Prices of a region, in `priceTable.currency`; `scripts/refresh-aws-sizes.mjs` brings them up to date. */
export const priceTable = { currency: table.currency, regions: table.regions }

/** Of one hour on demand, in the order of the table's regions. */
const hourly = new Map(table.sizes.map(([id, , , , ...prices]) => [String(id), prices.map(toPrice)]))

/** The types that are chosen from. */
export const sizes: Omit<MachineSize, 'hourly'>[] = table.sizes.map(([id, cpu, memory, architecture]) => ({
  id: String(id),
  cpu: Number(cpu),
  memory: Number(memory) * mebibyte,
  architecture: architecture === 'arm64' ? 'arm64' : 'amd64',
}))

/** GiB that an image's root disk has when nobody asks for more; both publishers' images have 8. */
export const defaultDisk = 8

/** In dollars on demand. undefined: the table does not have the region, or the type there. */
export function hourlyPrice(id: string, region: string): number | undefined {
  const column = table.regions.findIndex((one) => one.region === region)
  return column === -1 ? undefined : hourly.get(id)?.[column]
}

/** With the prices of a region; of one that the table does not have: of its first one, whose order by price is much the same. */
export function sizesIn(region: string): MachineSize[] {
  const [first] = table.regions
  const known = table.regions.some((one) => one.region === region) ? region : (first?.region ?? region)
  return sizes.map((size) => ({ ...size, hourly: hourlyPrice(size.id, known) ?? Number.POSITIVE_INFINITY }))
}

/**
 * Types that have what is asked for and are offered in one of the zones, in the order in which they are taken: the named one, then the
 * cheapest. Throws `not-supported` when there is none, or the named one is of another architecture.
 */
export function suitable(
  { cpu, memory }: MachineRequirements,
  { architecture, size: named, otherSizes, region }: AwsSettings,
  offered: Map<string, Set<string>>,
  zones: string[],
): string[] {
  const isHere = (id: string) => zones.some((zone) => offered.get(id)?.has(zone))
  const found = sizesIn(region)
    .filter((size) => isHere(size.id) && size.cpu >= cpu && size.memory >= memory && size.architecture === architecture)
    .sort(byPrice)
    .map(({ id }) => id)
  if (named !== undefined) {
    const known = sizes.find(({ id }) => id === named)
    if (known && known.architecture !== architecture) throw otherArchitecture(named, known.architecture, architecture)
    if (!isHere(named)) throw notThere(named, zones)
    return [named, ...(otherSizes ? found.filter((id) => id !== named) : [])]
  }
  if (found.length > 0) return found
  const asked = `${cpu} cpu and ${Math.ceil(memory / mebibyte)} MiB`
  throw new KitbagError('not-supported', `aws: no known ${architecture} type in ${zones.join(', ')} has ${asked}`, {
    fix: "Ask for less, allow other zones, or name an instance type as size in the cloud's settings.",
  })
}

/** GiB of a root disk: as asked for, and as large as the image's at least. */
export function diskGiB({ requirements, disk = 0 }: Pick<ResolvedMachineSpec, 'requirements' | 'disk'>): number {
  return Math.max(defaultDisk, Math.ceil(Math.max(requirements.disk ?? 0, disk) / gibibyte))
}

function otherArchitecture(size: string, has: string, wanted: string): KitbagError {
  return new KitbagError(
    'not-supported',
    `aws: the size ${size} of the settings is ${has}, and machines are ${wanted}`,
    {
      fix: "Name another size, or another architecture, in the cloud's settings.",
    },
  )
}

function notThere(size: string, zones: string[]): KitbagError {
  return new KitbagError('not-supported', `aws: ${size} is not to be had in ${zones.join(', ')}`, {
    fix: "Allow more zones in the placement, or name another size in the cloud's settings.",
  })
}

function toPrice(cell: unknown): number | undefined {
  return typeof cell === 'number' ? cell : undefined
}
