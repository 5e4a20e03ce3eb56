import { amount, hoursPerMonth, type MachineCost } from '../../model/cost.ts'
import type { JsonObject } from '../../model/json.ts'
import type { ResolvedMachineSpec } from '../../model/machine.ts'
import { settingsSchema } from './settings.ts'

/** By the settings; one's own box costs nothing unless they say so. Disks and addresses are part of it. */
export function costs(given: JsonObject): (spec: ResolvedMachineSpec) => MachineCost {
  const { hourlyPrice } = settingsSchema.parse(given)
  return ({ requirements: { cpu, memory } }) => {
    const hourly = hourlyPrice ? cpu * hourlyPrice.cpu + (memory / 2 ** 30) * hourlyPrice.memory : 0
    return {
      machine: amount(hourly * hoursPerMonth),
      disk: 0,
      address: 0,
      currency: null,
      prices: null,
      unknown: null,
      atMost: false,
    }
  }
}
