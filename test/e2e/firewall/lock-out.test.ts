import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { noMachines } from '../providers/local-box.ts'
import { type TestDeployment, testDeployment } from '../toolkit/deployment.ts'

const blueprint = `
apiVersion: kitbag/v1
name: shop
components:
  web: { source: ./app, runtime: nodejs, start: node server.js, port: 8080, machine: { memory: 256MiB } }
`

describe.skipIf(noMachines)(`a rule that shuts Kitbag out${noMachines ? ` (${noMachines})` : ''}`, () => {
  let shop: TestDeployment

  beforeAll(async () => {
    // Nobody's: networks for examples.
    shop = await testDeployment({ sshFrom: ['203.0.113.0/24'] })
  })

  afterAll(async () => {
    expect(await shop?.close()).toEqual([])
  })

  test('is rolled back, and the operation names it', async () => {
    const failure = await shop.deploy(blueprint, 'one', { keepFailed: true }).catch((error: Error) => error.message)
    expect(failure).toContain(
      'web-1: the firewall rule for SSH shuts Kitbag out (ip saddr 203.0.113.0/24 tcp dport 22 accept comment "ssh"), and was rolled back',
    )
    const [machine] = await shop.machines('web')
    const guest = await shop.guest(machine?.name ?? '')
    expect(await guest.run('nft list tables')).toBe('')
    // Nothing of it comes back with a reboot.
    expect(await guest.run('ls /var/lib/kitbag/firewall 2>/dev/null || true')).toBe('')
    const said = await guest.run('journalctl --quiet --output=short-unix --unit="kitbag-firewall-rollback.*"')
    const times = said.split('\n').map((line) => Number(line.split(' ')[0]))
    const taken = Math.max(...times) - Math.min(...times)
    console.log(`rolled back ${taken.toFixed(1)} s after the rules were put into force`)
    expect(taken).toBeGreaterThan(8)
  })
})
