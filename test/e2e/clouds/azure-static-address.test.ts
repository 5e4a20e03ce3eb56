import { startInstallation } from '../../support/installation.ts'
import { startAzure } from './azure.ts'
import { testStaticAddress } from './static-address.ts'

testStaticAddress('the Azure test cloud', async (atEnd) => {
  const { cloud, record, machines, residue } = await startAzure(atEnd, { open: true, ipv6: true })
  const { world } = cloud
  const box = await startInstallation(record)
  atEnd(box.stop)
  return {
    box,
    host: machines.gateway,
    guest: machines.guest,
    residue,
    addresses: async () =>
      world.list('Microsoft.Network/publicIPAddresses').map(({ properties }) => String(properties.ipAddress)),
  }
})
