import type { MachineSize } from '../../lib/machine-sizes.ts'
import table from './prices.json' with { type: 'json' }

/** Day and region that the prices are of; `scripts/azure-prices.mjs` brings them up to date. */
export const priceDate = table.date
export const priceRegion = table.region

/** Hours that a month is counted with, as in Azure's own calculator. */
const hoursOfMonth = 730

/** The sizes that are chosen from, cheapest first; of equal ones, by name. */
export const pricedSizes: MachineSize[] = table.sizes.map(({ id, arch, cpu, memory, hourly }) => ({
  id,
  architecture: arch === 'arm64' ? 'arm64' : 'amd64',
  cpu,
  memory: memory * 2 ** 30,
  hourly,
}))

/** Of a static public address of the Standard kind. */
export const publicAddressHourly = table.publicAddressHourly

/** A disk is charged as the next larger one of a fixed row. `bytes`: its size. undefined: larger than all of them. */
export function diskHourly(kind: keyof typeof table.disksMonthly, bytes: number): number | undefined {
  const monthly = table.disksMonthly[kind].find(([gibibytes = 0]) => gibibytes * 2 ** 30 >= bytes)?.[1]
  return monthly === undefined ? undefined : monthly / hoursOfMonth
}
