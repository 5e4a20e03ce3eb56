import { amount, hoursPerMonth, type MachineCost } from '../../model/cost.ts'
import type { JsonObject } from '../../model/json.ts'
import type { ResolvedMachineSpec } from '../../model/machine.ts'
import { settingsSchema } from './settings.ts'
import { diskGiB, hourlyPrice, priceTable } from './sizes.ts'

const script = 'node scripts/refresh-aws-sizes.mjs --region'

/** By the table: the machine on demand, its root disk, its public address. Traffic is not counted. */
export function costs(given: JsonObject): (spec: ResolvedMachineSpec) => MachineCost {
  const { region, disk, publicAddresses, spot } = settingsSchema.parse(given)
  const { currency, regions } = priceTable
  const prices = regions.find((one) => one.region === region)
  const source = prices ? { of: `aws ${region}`, date: prices.date, source: prices.source } : null
  const address = publicAddresses ? (prices ? amount(prices.publicAddress * hoursPerMonth) : null) : 0
  return (spec) => {
    const { size } = spec
    const hourly = hourlyPrice(size, region)
    return {
      machine: hourly === undefined ? null : amount(hourly * hoursPerMonth),
      disk: prices ? amount(diskGiB(spec) * prices.diskGiBMonth[disk.type]) : null,
      address,
      currency,
      prices: source,
      unknown: unknownOf(size, region, { region: prices !== undefined, size: hourly !== undefined }),
      atMost: spot,
    }
  }
}

function unknownOf(size: string, region: string, known: { region: boolean; size: boolean }): string | null {
  if (!known.region) return `aws: there are no prices of ${region} yet; they come with: ${script} ${region}`
  return known.size ? null : `aws: the prices of ${region} do not have ${size}`
}
