import { describe, test } from 'vitest'
import { testProvider } from '../../conformance/providers/test-provider.ts'
import { localBox, noMachines } from './local-box.ts'

if (noMachines) {
  describe('local: provider conformance', () => test.skip(`needs root on Linux (${noMachines})`, () => {}))
} else {
  testProvider('local', async () => {
    const [one, two] = [await localBox(), await localBox()]
    const close = async () => {
      await one.close()
      await two.close()
    }
    const { provider, installation } = one
    return { provider, installation, other: two, image: 'debian-13', close }
  })
}
