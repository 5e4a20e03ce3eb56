import { cheapestSize, type MachineSize } from '../../lib/machine-sizes.ts'
import { KitbagError } from '../../model/errors.ts'
import type { MachineRequirements } from '../../model/machine.ts'
import type { AwsSettings } from './settings.ts'
import table from './sizes.json' with { type: 'json' }

const mebibyte = 2 ** 20

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

/** The cheapest type that the zone's region offers. Throws `not-supported` when none is big enough. */
export function chooseSize(
  { cpu, memory }: MachineRequirements,
  { architecture, size, region }: AwsSettings,
  offered: Set<string>,
): string {
  if (size !== undefined) return size
  const here = sizesIn(region).filter(({ id }) => offered.has(id))
  const found = cheapestSize(here, { cpu, memory, architecture })
  if (found) return found.id
  const asked = `${cpu} cpu and ${Math.ceil(memory / mebibyte)} MiB`
  throw new KitbagError('not-supported', `aws: no known ${architecture} type in ${region} has ${asked}`, {
    fix: "Ask for less, or name an instance type as size in the cloud's settings.",
  })
}

export function diskGiB({ disk }: MachineRequirements): number {
  return Math.max(defaultDisk, Math.ceil((disk ?? 0) / 2 ** 30))
}

function toPrice(cell: unknown): number | undefined {
  return typeof cell === 'number' ? cell : undefined
}
