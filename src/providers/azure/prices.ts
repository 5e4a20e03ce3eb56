import type { MachineSize } from '../../lib/machine-sizes.ts'
import table from './prices.json' with { type: 'json' }

type Disk = keyof (typeof table.regions)[number]['disksMonthly']

/** Prices of a region, in `currency`; `scripts/azure-prices.mjs` brings them up to date. */
export interface RegionPrices {
  region: string
  date: string
  source: string
  /** Of a static one of the Standard kind. */
  publicAddressHourly: number
  /** Rows of GiB and price, by size. */
  disksMonthly: Record<Disk, number[][]>
}

export const priceTable: { currency: string; regions: RegionPrices[] } = table

/** The sizes that are chosen from. */
export const knownSizes: Omit<MachineSize, 'hourly'>[] = table.sizes.map(({ id, arch, cpu, memory }) => ({
  id,
  architecture: arch === 'arm64' ? 'arm64' : 'amd64',
  cpu,
  memory: memory * 2 ** 30,
}))

const hourly = new Map(table.sizes.map((size) => [size.id, size.hourly as (number | null)[]]))

/** Pay as you go. undefined: the table does not have the region, or the size there. */
export function hourlyPrice(id: string, region: string): number | undefined {
  const column = table.regions.findIndex((one) => one.region === region)
  return column === -1 ? undefined : (hourly.get(id)?.[column] ?? undefined)
}

/**
 * Price that sizes are compared by: that of the region; in one that the table does not have, that of its first one, whose order by price
 * is much the same.
 */
export function comparedPrice(id: string, region: string): number | undefined {
  const known = table.regions.some((one) => one.region === region)
  return hourlyPrice(id, known ? region : (table.regions[0]?.region ?? region))
}

/** A disk is charged as the next larger one of a fixed row. `bytes`: its size. undefined: larger than all of them. */
export function diskMonthly({ disksMonthly }: RegionPrices, kind: Disk, bytes: number): number | undefined {
  return disksMonthly[kind].find(([gibibytes = 0]) => gibibytes * 2 ** 30 >= bytes)?.[1]
}
