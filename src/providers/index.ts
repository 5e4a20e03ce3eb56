import type { MachineCosts, ProviderDriver } from './contract.ts'

/** Loads one driver with its SDK, when the first cloud of its kind is used. */
export type ProviderLoader = () => Promise<ProviderDriver>

/** Every provider kind; the keys are the folders beside this file. */
export const providers = {
  aws: async () => (await import('./aws/driver.ts')).driver,
  azure: async () => (await import('./azure/driver.ts')).driver,
  fake: async () => (await import('./fake/driver.ts')).driver,
  local: async () => (await import('./local/driver.ts')).driver,
  ssh: async () => (await import('./ssh/driver.ts')).driver,
} satisfies Record<string, ProviderLoader>

/** What machines cost, of the kinds that know it; loaded without the driver and its SDK. */
export const costs = {
  aws: async () => (await import('./aws/costs.ts')).costs,
  azure: async () => (await import('./azure/costs.ts')).costs,
  fake: async () => (await import('./fake/costs.ts')).costs,
  local: async () => (await import('./local/costs.ts')).costs,
} satisfies { [kind in keyof typeof providers]?: () => Promise<MachineCosts> }
