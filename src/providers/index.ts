import type { ProviderDriver } from './contract.ts'

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
