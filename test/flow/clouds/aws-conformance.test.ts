import { driver } from '../../../src/providers/aws/driver.ts'
import { startEc2Cloud } from '../../clouds/ec2/ec2-cloud.ts'
import { testProvider } from '../../conformance/providers/test-provider.ts'
import { connectAws } from './aws-box.ts'

testProvider('aws', async () => {
  const cloud = await startEc2Cloud()
  const [one, other] = [await connectAws(cloud), await connectAws(cloud)]
  const { provider, installation } = one
  return { provider, installation, other, capabilities: driver.capabilities, image: 'debian-13', close: cloud.close }
})
