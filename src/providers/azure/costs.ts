import { amount, hoursPerMonth, type MachineCost } from '../../model/cost.ts'
import type { JsonObject } from '../../model/json.ts'
import type { ResolvedMachineSpec } from '../../model/machine.ts'
import { isOfficial, smallestDisk } from './images.ts'
import { diskMonthly, hourlyPrice, priceTable } from './prices.ts'
import { settingsSchema } from './settings.ts'

const script = 'node scripts/azure-prices.mjs'

/** By the table: the machine as one pays for it as it goes, its disk, its public address. Traffic is not counted. */
export function costs(given: JsonObject): (spec: ResolvedMachineSpec) => MachineCost {
  const { region, disk: kind, publicAddresses, spot } = settingsSchema.parse(given)
  const prices = priceTable.regions.find((one) => one.region === region)
  const address = publicAddresses ? (prices ? amount(prices.publicAddressHourly * hoursPerMonth) : null) : 0
  return ({ size, image, requirements }) => {
    const hourly = hourlyPrice(size, region)
    const bytes = requirements.disk ?? (isOfficial(image) ? smallestDisk : undefined)
    const disk = prices && bytes !== undefined ? diskMonthly(prices, kind, bytes) : undefined
    return {
      machine: hourly === undefined ? null : amount(hourly * hoursPerMonth),
      disk: disk === undefined ? null : amount(disk),
      address,
      currency: priceTable.currency,
      prices: prices ? { of: `azure ${region}`, date: prices.date, source: prices.source } : null,
      unknown: unknownOf(size, region, { region: prices !== undefined, size: hourly, disk, bytes }),
      atMost: spot,
    }
  }
}

function unknownOf(
  size: string,
  region: string,
  known: { region: boolean; size: number | undefined; disk: number | undefined; bytes: number | undefined },
): string | null {
  if (!known.region) return `azure: there are no prices of ${region} yet; they come with: ${script} ${region}`
  if (known.size === undefined) return `azure: the prices of ${region} do not have ${size}`
  if (known.bytes === undefined) return 'azure: how large the disk of an own image is, unless machine.disk says it'
  return known.disk === undefined ? `azure: the prices of ${region} have no disk as large as is asked for` : null
}
