import { Duplex } from 'node:stream'
import { expect, test } from 'vitest'
import { KitbagError } from '../../../../src/model/errors.ts'
import type { MachineAccess } from '../../../../src/model/machine.ts'
import type { Reach } from '../../../../src/model/reach.ts'
import { setChallenges } from '../../../../src/toolkit/load-balancer/challenges.ts'

const node = (name: string) => ({ id: name, name, address: '10.0.0.1', port: 22, user: 'debian', hostKey: '' })

/** HAProxy's socket with an empty map. */
function emptyMap(): Duplex {
  return new Duplex({
    read() {},
    write(_bytes, _encoding, done) {
      done()
      this.push('\n')
      this.push(null)
    },
  })
}

/** Nodes of which some are away; `told`: those that wrote the file. */
function nodes(away: string[]) {
  const told: string[] = []
  const reach = {
    exec: async ({ name }: MachineAccess) => {
      if (away.includes(name)) throw new KitbagError('machine-unreachable', `${name} cannot be reached`)
      told.push(name)
      return { status: 0, stdout: '', stderr: '' }
    },
    connectUnix: async () => emptyMap(),
  } as unknown as Reach
  return { told, context: { reach, machines: [node('lb-1'), node('lb-2')] } }
}

test('challenges are shown by the nodes that can be reached; where none can, that is the error', async () => {
  const one = nodes(['lb-2'])
  await setChallenges(one.context, new Map())
  expect(one.told).toEqual(['lb-1'])
  const none = nodes(['lb-1', 'lb-2'])
  await expect(setChallenges(none.context, new Map())).rejects.toMatchObject({ code: 'machine-unreachable' })
})
