import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { newId } from '../../../src/model/ids.ts'
import { type AzureCloud, startAzureCloud } from '../../clouds/azure/azure-cloud.ts'
import { connectTo } from '../../clouds/azure/connect.ts'
import { ipConfigurations } from '../../clouds/azure/network-interfaces.ts'
import { type Stranger, stranger } from '../../clouds/azure/stranger.ts'
import { owner } from './azure-box.ts'

let cloud: AzureCloud
let them: Stranger

beforeEach(async () => {
  cloud = await startAzureCloud()
  them = await stranger(cloud, '10.9.1.0/24')
})

afterEach(() => cloud.close())

const machine = { name: 'their-own', userData: '#cloud-config\n{}\n', publicKey: 'ssh-ed25519 AAAA theirs' }

const theNic = () => {
  const [nic] = cloud.world.list('Microsoft.Network/networkInterfaces')
  if (!nic) throw new Error('no network interface')
  return nic
}
const seen = (id: string) => {
  const { networkSecurityGroup } = theNic().properties as { networkSecurityGroup?: { id: string } }
  const {
    publicIPAddress,
    applicationSecurityGroups = [],
    privateIPAddress,
  } = ipConfigurations(theNic())[0]?.properties ?? {}
  const groups = applicationSecurityGroups.map((one) => one.id.replace(/.*-/, ''))
  const tags = cloud.world.find(id)?.tags
  return { protection: networkSecurityGroup?.id, address: publicIPAddress?.id, privateIPAddress, groups, tags }
}
const detailOf = (findings: { name: string; detail: string }[], name: string) =>
  findings.find((one) => one.name === name)?.detail ?? ''

describe('azure: machines that somebody else made', () => {
  const taken = () => ({ name: 'web-1', user: 'owner', component: 'web', tags: { ...owner, machine: newId('mac') } })

  test('join the group of their component and leave it; their own group, address and tags stay', async () => {
    const id = await them.makeMachine({ ...machine, publicAddress: true })
    const provider = await connectTo(cloud, 'ins_one', { subnet: them.subnet })
    expect(await provider.console?.(id)).toContain('console of')
    const before = seen(id)
    expect(before).toMatchObject({ address: expect.stringContaining('their-own-ip'), groups: [] })
    await provider.marks?.put(id, taken())
    expect(seen(id)).toMatchObject({ ...before, tags: { 'kitbag-user': 'owner' }, groups: ['web'] })
    await provider.letGo(id)
    await provider.release?.(owner)
    expect(seen(id)).toEqual(before)
    expect(await provider.residue?.(owner.installation)).toEqual([])
  })

  test('need what the role for import has, and no more; without it the permission is named, and a deployment works', async () => {
    const id = await them.makeMachine({ ...machine, publicAddress: true })
    const pool = { id: `${them.subnet.replace(/virtualNetworks.*/, 'loadBalancers/theirs')}/backendAddressPools/all` }
    for (const { properties } of ipConfigurations(theNic())) properties.loadBalancerBackendAddressPools = [pool]
    const connect = () => connectTo(cloud, 'ins_one', { subnet: them.subnet, publicAddresses: false })
    const found = await (await connect()).test()
    const actionsOf = (name: string): string[] => JSON.parse(detailOf(found, name)).Actions
    const [role, more] = [actionsOf('role definition'), actionsOf('role for import')]
    expect(more.filter((action) => role.includes(action))).toEqual([])
    cloud.grants.actions = role
    const without = await (await connect()).test()
    expect(without.filter(({ ok }) => !ok)).toEqual([])
    for (const action of more) expect(detailOf(without, `import: ${action}`)).toContain('not granted')
    for (const lacking of more.filter((action) => !/inboundNat|applicationGateways/.test(action))) {
      cloud.grants.actions = [...role, ...more.filter((action) => action !== lacking)]
      const refused = (await connect()).marks?.put(id, taken())
      await expect(refused).rejects.toThrow(`the permission ${lacking} is lacking`)
      const back = await connect()
      cloud.grants.actions = [...role, ...more]
      await back.letGo(id)
    }
    const provider = await connect()
    expect(detailOf(await provider.test(), `import: ${more[0]}`)).not.toContain('not granted')
    await provider.marks?.put(id, taken())
    await provider.letGo(id)
    await provider.release?.(owner)
    expect(await provider.residue?.(owner.installation)).toEqual([])
  })

  test('a cloud that can import none asks for nothing more', async () => {
    const found = await (await connectTo(cloud)).test()
    expect(found.filter(({ name }) => name.includes('import'))).toEqual([])
  })
})
