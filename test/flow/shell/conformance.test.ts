import { createFakeReach } from '../../../src/shell/fake.ts'
import { generateKeyPair } from '../../../src/shell/keys.ts'
import { noSshd, reachTo, startSshd } from './openssh.ts'
import { testTransport } from './transport-conformance.ts'

testTransport(
  'openssh',
  async () => {
    const sshd = await startSshd()
    const reach = reachTo(sshd.privateKey)
    return {
      reach,
      machine: sshd.machine,
      folder: sshd.folder,
      ...(process.getuid?.() !== 0 && { noStop: 'requests to stop are files in /run, which needs root' }),
      async close() {
        await reach.close()
        await sshd.remove()
      },
    }
  },
  noSshd,
)

testTransport('fake', async () => {
  const reach = createFakeReach({ resourceLatency: 1 })
  const machine = {
    id: 'mac_fake',
    name: 'fake-1',
    address: '192.0.2.1',
    port: 22,
    user: 'debian',
    hostKey: generateKeyPair('').publicKey,
  }
  return {
    reach,
    machine,
    folder: '/tmp',
    failNext: (resource) => reach.faults.push({ kind: 'fail', resource, output: 'the last words', times: 1 }),
    close: () => reach.close(),
  }
})
