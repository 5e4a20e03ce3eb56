import { connectAzure, lookAgain } from '../../../src/providers/azure/azure.ts'
import { settingsSchema } from '../../../src/providers/azure/settings.ts'
import type { AzureCloud } from './azure-cloud.ts'

/** What somebody else has at the test cloud: a group with a network, and machines in it that Kitbag knows nothing of. */
export interface Stranger {
  /** Resource id of their subnet, for a cloud's settings. */
  subnet: string
  /** Makes a machine with a network interface, a security group and (where asked for) a public address of their own; gives its id. */
  makeMachine(machine: { name: string; userData: string; publicKey: string; publicAddress?: boolean }): Promise<string>
  /** Deletes all of it. */
  leave(): Promise<void>
}

const group = 'theirs'

/** `addresses`: of their subnet. */
export async function stranger(cloud: AzureCloud, addresses: string): Promise<Stranger> {
  const settings = settingsSchema.parse(cloud.settings)
  const quiet = { installation: 'ins_nobody', log: () => {} }
  const { compute, network, resources } = await connectAzure(settings, cloud.credentials, quiet)
  const { region: location } = settings
  await resources.resourceGroups.createOrUpdate(group, { location })
  const office = {
    location,
    addressSpace: { addressPrefixes: [addresses] },
    subnets: [{ name: 'desks', addressPrefix: addresses }],
  }
  const { subnets } = await network.virtualNetworks.beginCreateOrUpdateAndWait(group, 'office', office, lookAgain)
  const subnet = subnets?.[0]?.id ?? ''
  const protection = await network.networkSecurityGroups.beginCreateOrUpdateAndWait(
    group,
    'office',
    { location, securityRules: [] },
    lookAgain,
  )

  async function addressOf(name: string) {
    const asked = { location, sku: { name: 'Standard' }, publicIPAllocationMethod: 'Static' }
    const { id = '' } = await network.publicIPAddresses.beginCreateOrUpdateAndWait(
      group,
      `${name}-ip`,
      asked,
      lookAgain,
    )
    return { publicIPAddress: { id } }
  }

  return {
    subnet,
    async makeMachine({ name, userData, publicKey, publicAddress = false }) {
      const address = publicAddress ? await addressOf(name) : {}
      const configuration = { name: 'primary', subnet: { id: subnet }, ...address }
      const nic = await network.networkInterfaces.beginCreateOrUpdateAndWait(
        group,
        `${name}-nic`,
        { location, networkSecurityGroup: { id: protection.id ?? '' }, ipConfigurations: [configuration] },
        lookAgain,
      )
      const image = { publisher: 'Debian', offer: 'debian-13', sku: '13-gen2', version: 'latest' }
      const path = '/home/owner/.ssh/authorized_keys'
      const made = await compute.virtualMachines
        .createOrUpdate(
          group,
          name,
          {
            location,
            hardwareProfile: { vmSize: 'Standard_B2ts_v2' },
            storageProfile: {
              imageReference: image,
              osDisk: {
                name: `${name}-disk`,
                createOption: 'FromImage',
                deleteOption: 'Delete',
                managedDisk: { storageAccountType: 'Standard_LRS' },
              },
            },
            osProfile: {
              computerName: name,
              adminUsername: 'owner',
              customData: Buffer.from(userData).toString('base64'),
              linuxConfiguration: {
                disablePasswordAuthentication: true,
                ssh: { publicKeys: [{ path, keyData: publicKey }] },
              },
            },
            networkProfile: { networkInterfaces: [{ id: nic.id ?? '', primary: true, deleteOption: 'Delete' }] },
            diagnosticsProfile: { bootDiagnostics: { enabled: true } },
          },
          lookAgain,
        )
        .pollUntilDone()
      return made.id ?? ''
    },
    leave: () => resources.resourceGroups.beginDeleteAndWait(group, lookAgain),
  }
}
