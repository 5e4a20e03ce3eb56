import { expect, test } from 'vitest'
import { checkHealth } from '../../../src/lib/check-health.ts'
import { type Address, type MachineRecord, tryMachineAccess } from '../../../src/model/machine.ts'
import type { Reach } from '../../../src/model/reach.ts'

const inside: Address = { address: '10.0.0.4', family: 4, scope: 'private', network: 'n' }
const outside: Address = { address: '203.0.113.4', family: 4, scope: 'public', network: 'internet' }

test.each<[string, Address[], string, string]>([
  ['where Kitbag logs in at a public address', [inside, { ...outside, login: true }], '203.0.113.4', '10.0.0.4'],
  ['where it logs in at the private one', [inside, outside], '10.0.0.4', '10.0.0.4'],
  ['that has a public address alone', [outside], '203.0.113.4', '203.0.113.4'],
])('a machine %s is asked for its health where its neighbours find it', async (_, addresses, login, asked) => {
  const row = { id: 'mac_1', name: 'web-1', addresses, user: 'debian', sshPort: 22, hostKey: '' }
  const machine = tryMachineAccess(row as unknown as MachineRecord)
  if (!machine) throw new Error('no access')
  const hosts: string[] = []
  const reach = {
    async connectTcp({ address }: { address: string }, host: string) {
      hosts.push(address, host)
      throw new Error('enough seen')
    },
  } as unknown as Reach
  const health = { interval: 1000, timeout: 1000, grace: 1000 }
  expect((await checkHealth(reach, { machine, port: 8080, health })).ok).toBe(false)
  expect(hosts).toEqual([login, asked])
})
