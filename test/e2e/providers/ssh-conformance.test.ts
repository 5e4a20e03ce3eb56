import { describe, test } from 'vitest'
import { driver } from '../../../src/providers/ssh/driver.ts'
import { testProvider } from '../../conformance/providers/test-provider.ts'
import { ownedTestMachines } from '../../support/owned-machines.ts'
import { noMachines } from './local-box.ts'
import { sshBox } from './ssh-box.ts'
import { newKeyPair } from './ssh-login.ts'

const optOuts = { staticAddresses: 'an owned machine has the addresses that it has' }

if (noMachines) {
  describe('ssh: provider conformance', () => test.skip(`needs root on Linux (${noMachines})`, () => {}))
} else {
  testProvider(
    'ssh',
    async () => {
      const login = newKeyPair()
      const owned = await ownedTestMachines(3, login.publicKey)
      const settings = { machines: owned.machines.map(({ address, hostKey }) => ({ address, hostKey })) }
      const [one, two] = [await sshBox(settings, login), await sshBox(settings, login)]
      const close = async () => {
        await one.close()
        await two.close()
        await owned.close()
      }
      const { provider, installation } = one
      return { provider, capabilities: driver.capabilities, installation, other: two, image: 'debian-13', close }
    },
    optOuts,
  )
}
