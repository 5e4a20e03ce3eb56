import { startAzureCloud } from '../../clouds/azure/azure-cloud.ts'
import { noFaults } from '../../clouds/azure/faults.ts'
import type { Resource } from '../../clouds/azure/world.ts'
import { type CloudUnderFaults, testDeploysUnderFaults } from './deploy-faults.ts'

testDeploysUnderFaults('azure', async (): Promise<CloudUnderFaults> => {
  const cloud = await startAzureCloud()
  const { world, faults, credentials } = cloud
  const { region: location, subscription } = cloud.settings
  world.groups.set('theirs', { name: 'theirs', location, tags: { owner: 'them' }, state: 'Succeeded' })
  for (const type of ['virtualNetworks', 'networkSecurityGroups', 'publicIPAddresses']) {
    const whole = `Microsoft.Network/${type}`
    const id = `/subscriptions/${subscription}/resourceGroups/theirs/providers/${whole}/theirs`
    const named = { id, type: whole, name: 'theirs', group: 'theirs', location, tags: { owner: 'them' } }
    world.put({ ...named, etag: '', properties: {}, state: 'Succeeded' })
  }

  /** Each deployment has a resource group of its own, and everything of it is there. */
  const isOurs = (group: string) => group.toLowerCase().startsWith('kitbag-')
  const machines = () =>
    world.list('Microsoft.Compute/virtualMachines').filter(({ group, state }) => isOurs(group) && state !== 'Failed')
  const nameOf = ({ tags }: Resource) => tags['kitbag-name'] ?? ''

  return {
    record: {
      provider: 'azure',
      settings: JSON.parse(JSON.stringify(cloud.settings)),
      credentials: { ...credentials },
    },
    wrong: { ...credentials, secret: 'wrong' },
    machines: async () => machines().map(nameOf).sort(),
    ours: async () => [
      ...[...world.resources.values()].filter(({ group }) => isOurs(group)).map(({ type, name }) => `${type} ${name}`),
      ...[...world.groups.keys()].filter(isOurs),
    ],
    calls: () => cloud.requests.length,
    strangers: async () => [
      [...world.resources.values()].filter(({ group }) => !isOurs(group)).map((one) => ({ ...one })),
      [...world.groups.values()].filter(({ name }) => !isOurs(name)).map((one) => ({ ...one })),
    ],
    shake() {
      faults.requests = [
        { effect: 'lost-answer', rate: 0.1 },
        { effect: 'html', rate: 0.03 },
        { effect: 'truncated', rate: 0.03 },
        { effect: 'redirect', rate: 0.03 },
      ]
    },
    limit: () => cloud.quota(12),
    async fillZone() {
      faults.fullZones = ['1']
      return async () => machines().filter(({ zones }) => zones?.[0] === '1').length
    },
    neverBoots(name) {
      faults.neverBoots = name
    },
    async vanish(name) {
      for (const machine of machines().filter((one) => nameOf(one) === name)) {
        world.remove(machine.id)
        world.remove(machine.id.replace(/virtualMachines\/(.*)$/, 'disks/$1-disk'))
      }
    },
    async occupy() {
      const [network] = world.list('Microsoft.Network/virtualNetworks').filter(({ group }) => isOurs(group))
      const type = 'Microsoft.Network/networkInterfaces'
      const id = `/subscriptions/${subscription}/resourceGroups/theirs/providers/${type}/theirs`
      const named = { id, type, name: 'theirs', group: 'theirs', location, tags: { owner: 'them' }, etag: '' }
      const subnet = { id: `${network?.id}/subnets/machines` }
      const properties = {
        ipConfigurations: [{ name: 'primary', properties: { subnet, privateIPAddress: '10.111.9.9' } }],
      }
      world.put({ ...named, properties, state: 'Succeeded' })
      return async () => world.remove(id)
    },
    expireAfter(count) {
      faults.machinesUntilExpiry = count
    },
    renew() {
      delete faults.machinesUntilExpiry
      return { ...credentials, secret: cloud.login.addSecret() }
    },
    expired: /: the credentials are not accepted: /,
    permissions: {
      create: [
        'Microsoft.Compute/virtualMachines/write',
        'Microsoft.Compute/skus/read',
        'Microsoft.Network/networkInterfaces/write',
        'Microsoft.Network/networkSecurityGroups/write',
        'Microsoft.Resources/subscriptions/resourceGroups/write',
      ],
      destroy: 'Microsoft.Compute/virtualMachines/delete',
    },
    deny(permission) {
      cloud.grants.notActions = [permission]
    },
    heal() {
      for (const key of Object.keys(faults) as (keyof typeof faults)[]) delete faults[key]
      Object.assign(faults, noFaults())
      cloud.grants.notActions = []
      cloud.quota(1_000)
    },
    close: cloud.close,
  }
})
