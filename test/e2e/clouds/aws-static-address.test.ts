import { DescribeAddressesCommand, EC2Client } from '@aws-sdk/client-ec2'
import { credentials } from '../../clouds/ec2/ec2-cloud.ts'
import { startInstallation } from '../../support/installation.ts'
import { startEc2 } from './ec2.ts'
import { testStaticAddress } from './static-address.ts'

testStaticAddress('the EC2 test cloud', async (atEnd) => {
  const { cloud, record, machines, residue } = await startEc2(atEnd, { open: true, ipv6: true })
  const box = await startInstallation(record)
  atEnd(box.stop)
  const account = new EC2Client({ region: cloud.settings.region, endpoint: cloud.endpoint, credentials })
  atEnd(async () => account.destroy())
  return {
    box,
    host: machines.gateway,
    guest: machines.guest,
    residue,
    async addresses() {
      const { Addresses = [] } = await account.send(new DescribeAddressesCommand({}))
      return Addresses.map(({ PublicIp = '' }) => PublicIp)
    },
  }
})
