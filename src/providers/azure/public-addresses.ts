import type { PublicIPAddress } from '@azure/arm-network'
import { type Azure, lookAgain } from './azure.ts'

/** Makes a public address, or finds the one of that name. Azure has none but static ones of the Standard kind. */
export async function putAddress(
  { settings, network, addresses }: Azure,
  group: string,
  name: string,
  tags: Record<string, string>,
  publicIPAddressVersion: 'IPv4' | 'IPv6' = 'IPv4',
): Promise<PublicIPAddress> {
  const made = await network.publicIPAddresses.beginCreateOrUpdateAndWait(
    group,
    name,
    {
      location: settings.region,
      tags,
      sku: { name: 'Standard' },
      publicIPAllocationMethod: 'Static',
      publicIPAddressVersion,
    },
    lookAgain,
  )
  if (made.id && made.ipAddress) addresses.set(made.id.toLowerCase(), made.ipAddress)
  return made
}
