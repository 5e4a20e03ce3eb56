import { driver } from '../../../src/providers/azure/driver.ts'
import { startAzureCloud } from '../../clouds/azure/azure-cloud.ts'
import { connectTo } from '../../clouds/azure/connect.ts'
import { testProvider } from '../../conformance/providers/test-provider.ts'

testProvider('azure', async () => {
  const cloud = await startAzureCloud()
  const provider = await connectTo(cloud)
  const other = { provider: await connectTo(cloud, 'ins_two'), installation: 'ins_two' }
  const { capabilities } = driver
  return { provider, capabilities, installation: 'ins_one', other, image: 'debian-13', close: () => cloud.close() }
})
