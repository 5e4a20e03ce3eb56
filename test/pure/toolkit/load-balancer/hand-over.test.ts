import { expect, test } from 'vitest'
import type { MachineAccess } from '../../../../src/model/machine.ts'
import { retire } from '../../../../src/toolkit/load-balancer/hand-over.ts'
import { loadBalancerSchema } from '../../../../src/toolkit/load-balancer/schema.ts'
import { deadReach } from '../../../conformance/toolkit/dead-reach.ts'

const spec = loadBalancerSchema.parse({ listeners: [{ port: 80, to: 'web' }], floatingAddress: true })

const machine = (number: number): MachineAccess => ({
  id: `mac_${number}`,
  name: `load-balancer-${number}`,
  address: `192.0.2.${number}`,
  port: 22,
  user: 'root',
  hostKey: 'ssh-ed25519 AAAA',
})

/** What machines 1 to 4 are told, as 1 goes; `without`: a command that a machine does not have, as `3 stand-back`. */
async function toldWhenOneGoes({ going = [1], without = '', holder = '1' } = {}): Promise<string[]> {
  const told: string[] = []
  const reach = {
    ...deadReach,
    async exec({ id }: MachineAccess, command: string | { text: string }) {
      const number = id.replace('mac_', '')
      const text = typeof command === 'string' ? command : command.text
      if (text.startsWith('ip ')) return { status: number === holder ? 0 : 1, stdout: '', stderr: '' }
      const short = text.replace('/usr/local/lib/kitbag/', '')
      if (`${number} ${short}` === without) return { status: 127, stdout: '', stderr: '' }
      told.push(`${number} ${short}`)
      return { status: 0, stdout: '', stderr: '' }
    },
  }
  const machines = [4, 1, 3, 2].map(machine)
  const context = { service: 'loadBalancer', spec, reach, machines, unsettled: new Set<string>() }
  await retire(context, machine(1), { going: new Set(going.map((number) => machine(number).name)) })
  return told
}

test('before the holder stops, one machine is ready for its address and all others that stay stand back', async () => {
  const told = await toldWhenOneGoes()
  expect(new Set(told.slice(0, -1))).toEqual(new Set(['2 accept-address', '3 stand-back', '4 stand-back']))
  expect(told.at(-1)).toBe("1 echo '192.0.2.2' >/run/kitbag-taker && systemctl stop keepalived")
})

test('machines that go too stop before that, and neither take the address nor stand back', async () => {
  const told = await toldWhenOneGoes({ going: [1, 2] })
  expect(told[0]).toBe('2 systemctl stop keepalived')
  expect(new Set(told.slice(1, -1))).toEqual(new Set(['3 accept-address', '4 stand-back']))
  expect(told.at(-1)).toBe("1 echo '192.0.2.3' >/run/kitbag-taker && systemctl stop keepalived")
})

test('nobody is named when one cannot be told: it might be the faster one', async () => {
  expect((await toldWhenOneGoes({ without: '3 stand-back' })).at(-1)).toBe('1 systemctl stop keepalived')
  expect((await toldWhenOneGoes({ without: '2 accept-address' })).at(-1)).toBe('1 systemctl stop keepalived')
})

test('one that does not have the address has nothing to hand over', async () => {
  expect(await toldWhenOneGoes({ holder: '3' })).toEqual(['1 systemctl stop keepalived'])
})
