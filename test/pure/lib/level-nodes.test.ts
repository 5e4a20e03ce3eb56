import { expect, test } from 'vitest'
import { levelNodes } from '../../../src/lib/level-nodes.ts'
import type { JsonObject } from '../../../src/model/json.ts'
import type { MachineRecord } from '../../../src/model/machine.ts'

interface Seen {
  /** Nodes by name, with the digest of what they last took. */
  digests: Record<string, string | null>
  /** Nodes that answer. */
  alive?: string[]
  state?: JsonObject
  operation?: object | null
  now?: number
}

function look({ digests, alive = [], state = {}, operation = null, now = 1e6 }: Seen) {
  const rows = Object.entries(digests).map(([name, configureDigest]) => ({
    ...{ name, configureDigest, component: 'dns', status: 'ready', releaseNumber: 1 },
  })) as unknown as MachineRecord[]
  const reach = {
    exec: async ({ name }: { name: string }) => {
      if (!alive.includes(name)) throw new Error('away')
    },
  }
  const machines = rows.map(({ name }) => ({ name }))
  const signal = new AbortController().signal
  return levelNodes({ service: 'dns', rows, machines, reach, state, operation, signal, now } as never)
}

test('while every node has what it shall have, nothing is done and nothing is kept', async () => {
  expect(await look({ digests: { 'dns-1': 'a', 'dns-2': 'b' } })).toBeUndefined()
})

test('a node is behind when two looks find it so; then it gets a push as soon as it answers', async () => {
  const digests = { 'dns-1': 'a', 'dns-2': null }
  const first = await look({ digests, alive: ['dns-2'] })
  expect(first).toEqual({ state: { behind: 'dns-2' } })
  const state = { behind: 'dns-2' }
  expect(await look({ digests, state, alive: ['dns-1'] })).toBeUndefined()
  expect(await look({ digests, state, alive: ['dns-2'] })).toMatchObject({
    state: { behind: '', pushed: 1e6 },
    decisions: [{ level: 'info', data: { nodes: ['dns-2'] } }],
    operation: { kind: 'push', request: { service: 'dns' }, key: 'level 1000000' },
  })
  expect(await look({ digests: { 'dns-1': 'a', 'dns-2': 'c' }, state })).toEqual({ state: { behind: '' } })
})

test('one that answers and cannot be changed is pushed to once a minute', async () => {
  const digests = { 'dns-1': null }
  const state = { behind: 'dns-1', pushed: 1e6 }
  expect(await look({ digests, state, alive: ['dns-1'], now: 1e6 + 59_000 })).toBeUndefined()
  expect(await look({ digests, state, alive: ['dns-1'], now: 1e6 + 61_000 })).toMatchObject({
    operation: { kind: 'push' },
  })
})

test('machines that an operation has in its hands are its business', async () => {
  const operation = { id: 'op_1', kind: 'deploy' as const }
  expect(await look({ digests: { 'dns-1': null }, alive: ['dns-1'], operation })).toBeUndefined()
})
