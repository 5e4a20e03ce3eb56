import { joinNetworks } from '../../clouds/support/join-networks.ts'
import { startInstallation } from '../../support/installation.ts'
import { startAzure } from './azure.ts'
import { startEc2 } from './ec2.ts'
import { testGuestbook } from './guestbook.ts'

testGuestbook('two clouds: the database on the Azure test cloud, the rest on EC2', async (atEnd) => {
  const ec2 = await startEc2(atEnd)
  const azure = await startAzure(atEnd)
  atEnd(await joinNetworks(ec2.machines.subnet, azure.machines.subnet))
  const box = await startInstallation(ec2.record)
  atEnd(box.stop)
  await box.client.json('POST', '/v1/clouds', { name: 'second', ...azure.record })
  return {
    box,
    cloud: 'home',
    databaseCloud: 'second',
    guest: (address) => ec2.machines.guest(address).catch(() => azure.machines.guest(address)),
    firewall: async () => ({ ...(await ec2.firewall()), ...(await azure.firewall()) }),
    residue: async () => [...(await ec2.residue()), ...(await azure.residue())],
  }
})
