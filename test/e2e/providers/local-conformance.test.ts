import { describe, test } from 'vitest'
import { driver } from '../../../src/providers/local/driver.ts'
import { testProvider } from '../../conformance/providers/test-provider.ts'
import { localBox, noMachines } from './local-box.ts'

const optOuts = { staticAddresses: 'machines of one box have private addresses, which nobody outside knows' }

if (noMachines) {
  describe('local: provider conformance', () => test.skip(`needs root on Linux (${noMachines})`, () => {}))
} else {
  testProvider(
    'local',
    async () => {
      const [one, two] = [await localBox(), await localBox()]
      const close = async () => {
        await one.close()
        await two.close()
      }
      const { provider, installation } = one
      return { provider, capabilities: driver.capabilities, installation, other: two, image: 'debian-13', close }
    },
    optOuts,
  )
}
