import { driver } from '../../../src/providers/azure/driver.ts'
import type { Provider } from '../../../src/providers/contract.ts'
import type { AzureCloud } from './azure-cloud.ts'

/** The driver, connected to a test cloud as one installation; `settings` beside those that every such cloud has. */
export function connectTo(
  cloud: AzureCloud,
  installation = 'ins_one',
  settings: Record<string, unknown> = {},
  credentials: Record<string, unknown> = cloud.credentials,
): Promise<Provider> {
  return driver.connect(
    {
      name: 'azure',
      settings: driver.settings.parse({ ...cloud.settings, ...settings }),
      credentials: driver.credentials.parse(credentials),
    },
    { installation, home: '/nonexistent', cache: '/nonexistent', log: () => {} },
  )
}
