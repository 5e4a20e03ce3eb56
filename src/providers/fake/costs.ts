import { amount, type MachineCost } from '../../model/cost.ts'
import type { JsonObject } from '../../model/json.ts'
import type { ResolvedMachineSpec } from '../../model/machine.ts'
import { fakeSettingsSchema } from './settings.ts'

/** By the settings; without prices nothing is known. */
export function costs(given: JsonObject): (spec: ResolvedMachineSpec) => MachineCost {
  const { prices } = fakeSettingsSchema.parse(given)
  return ({ requirements: { cpu } }) => ({
    machine: prices ? amount(prices.cpu * cpu) : null,
    disk: prices?.disk ?? null,
    address: prices?.address ?? null,
    currency: prices?.currency ?? null,
    prices: prices ? { of: 'fake', date: '2026-01-01', source: 'its settings' } : null,
    unknown: prices ? null : 'fake: machines have no known price',
    atMost: false,
  })
}
