import { type AzureCloud, startAzureCloud } from '../../clouds/azure/azure-cloud.ts'
import { type MachinesBehind, machinesBehind } from '../../clouds/support/machines-behind.ts'
import type { HomeCloud } from '../../support/installation.ts'
import type { AtEnd, CloudUnderTest } from './guestbook.ts'

/** The Azure test cloud with real machines, and what is looked at there. */
export interface AzureUnderTest extends Pick<Required<CloudUnderTest>, 'firewall' | 'residue'> {
  cloud: AzureCloud
  machines: MachinesBehind
  record: HomeCloud
}

interface SecurityRule {
  properties: { protocol: string; destinationPortRange: string; sourceAddressPrefixes?: string[] }
}

/** `open`: machines have public addresses, at which Kitbag logs in; else all is in one private network. */
export async function startAzure(atEnd: AtEnd, { open = false, ipv6 = false } = {}): Promise<AzureUnderTest> {
  const machines = await machinesBehind('azure')
  atEnd(machines.close)
  const cloud = await startAzureCloud({ behind: machines })
  const { world, settings, credentials } = cloud
  atEnd(cloud.close)
  const own = JSON.parse(
    JSON.stringify({
      ...settings,
      addressSpace: machines.subnet,
      ipv6,
      ...(!open && { reach: 'private', publicAddresses: false }),
    }),
  )
  return {
    cloud,
    machines,
    record: { provider: 'azure', settings: own, credentials: { ...credentials } },
    firewall: async () =>
      Object.fromEntries(
        world.list('Microsoft.Network/networkSecurityGroups').map(({ name, properties }) => [
          // kitbag-DIGEST-COMPONENT
          name.split('-')[2],
          (properties.securityRules as SecurityRule[])
            .filter(({ properties: rule }) => rule.protocol === 'Tcp')
            .filter(({ properties: rule }) => rule.sourceAddressPrefixes?.includes('0.0.0.0/0'))
            .map(({ properties: rule }) => Number(rule.destinationPortRange))
            .sort((a, b) => a - b),
        ]),
      ),
    residue: async () => [...world.resources.keys(), ...world.groups.keys(), ...(await machines.residue())],
  }
}
