import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Provider } from '../../../src/providers/contract.ts'
import { controlFakeCloud, type FakeCloudControl } from '../../../src/providers/fake/control.ts'
import { driver } from '../../../src/providers/fake/driver.ts'
import type { FakeControl } from '../../../src/providers/fake/settings.ts'
import { testProvider } from '../../conformance/providers/test-provider.ts'

const quiet = () => {}

function connect(home: string, installation = 'ins_one', settings: FakeControl = {}): Promise<Provider> {
  const parsed = driver.settings.parse(settings)
  const environment = { installation, home, cache: home, log: quiet }
  return driver.connect({ name: 'nowhere', settings: parsed, credentials: {} }, environment)
}

testProvider('fake', async () => {
  const home = await mkdtemp(join(tmpdir(), 'kitbag-fake-'))
  const publicAddresses = true
  const other = { provider: await connect(home, 'ins_two', { publicAddresses }), installation: 'ins_two' }
  const close = () => rm(home, { recursive: true })
  const provider = await connect(home, 'ins_one', { pendingPolls: 2, publicAddresses })
  const { capabilities } = driver
  return { provider, capabilities, installation: 'ins_one', other, image: 'debian-13', close }
})

describe('fake: what can be made to go wrong', () => {
  let home: string
  let cloud: FakeCloudControl
  let provider: Provider

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'kitbag-fake-'))
    cloud = controlFakeCloud(home, 'nowhere')
    provider = await connect(home)
  })
  afterEach(() => rm(home, { recursive: true }))

  const create = async (token: string, name = 'web-1') => {
    const spec = {
      size: 's',
      image: 'img-debian-13',
      requirements: { cpu: 1, memory: 2 ** 29, image: 'debian-13' },
    }
    const hostKey = { privateKey: '', publicKey: 'ssh-ed25519 AAAA' }
    const tags = { installation: 'ins_one', deployment: 'dep', machine: token }
    return provider.createMachine({ name, spec, hostKey, authorizedKeys: [], component: 'web' }, { token, tags })
  }

  test.each([
    { effect: 'timeout-after', code: 'provider-failed', retryable: true, exist: 1 },
    { effect: 'fail-before', code: 'provider-failed', retryable: true, exist: 0 },
    { effect: 'refuse', code: 'provider-failed', retryable: false, exist: 0 },
    { effect: 'no-capacity', code: 'capacity-exceeded', retryable: false, exist: 0 },
  ] as const)('$effect: $exist machines exist after the failed call, one after its repeat', async (row) => {
    await cloud.set({ faults: [{ calls: ['createMachine'], effect: row.effect, times: 1 }] })
    await expect(create('a')).rejects.toMatchObject({ code: row.code, retryable: row.retryable })
    expect(await cloud.machines()).toHaveLength(row.exist)
    const machine = await create('a')
    expect((await cloud.machines()).map(({ id }) => id)).toEqual([machine.id])
  })

  test('a fault can be for one machine, and a rate is a share of the calls', async () => {
    await cloud.set({ faults: [{ machine: 'web-2', effect: 'fail-before' }] })
    await create('a', 'web-1')
    await expect(create('b', 'web-2')).rejects.toThrow(/createMachine web-2/)
    await cloud.set({ faults: [{ effect: 'timeout-after', rate: 0.1 }] })
    const results = await Promise.allSettled(Array.from({ length: 400 }, (_, i) => create(`many-${i}`)))
    const failed = results.filter(({ status }) => status === 'rejected').length
    expect(failed).toBeGreaterThan(10)
    expect(failed).toBeLessThan(90)
    expect(await cloud.machines()).toHaveLength(401)
  })

  test('pending machines have no address and run after as many polls', async () => {
    await cloud.set({ pendingPolls: 2 })
    const { id } = await create('a')
    const seen = []
    for (let i = 0; i < 4; i++) seen.push(await provider.getMachine(id))
    expect(seen.map((machine) => machine?.status)).toEqual(['pending', 'pending', 'running', 'running'])
    expect(seen.map((machine) => machine?.addresses.length)).toEqual([0, 0, 1, 1])
  })

  test('a quota is held, and does not hit the repeat of what was made', async () => {
    await cloud.set({ capacity: 1 })
    const { id } = await create('a')
    await expect(create('b')).rejects.toMatchObject({ code: 'capacity-exceeded' })
    expect((await create('a')).id).toBe(id)
  })

  test('machines outlive the connection, and one killed at the cloud is seen gone', async () => {
    const { id } = await create('a')
    const again = await connect(home)
    expect((await again.getMachine(id))?.status).toBe('running')
    await cloud.kill(id)
    expect((await again.getMachine(id))?.status).toBe('gone')
  })

  test('two clouds of one installation do not see each other', async () => {
    const { id } = await create('a')
    const environment = { installation: 'ins_one', home, cache: home, log: quiet }
    const settings = driver.settings.parse({})
    const elsewhere = await driver.connect({ name: 'elsewhere', settings, credentials: {} }, environment)
    expect(await elsewhere.getMachine(id)).toBeUndefined()
    expect(await elsewhere.listMachines({ tags: { installation: 'ins_one' } })).toEqual([])
  })

  test('calls are recorded on demand', async () => {
    await cloud.set({ recordCalls: true })
    const { id } = await create('a')
    await provider.destroyMachine(id)
    expect(await cloud.calls()).toEqual([
      { call: 'createMachine', machine: 'web-1' },
      { call: 'destroyMachine', machine: id },
    ])
  })

  test('200 machines come and go', async () => {
    const machines = await Promise.all(Array.from({ length: 200 }, (_, i) => create(`m-${i}`)))
    expect(new Set(machines.map(({ addresses }) => addresses[0]?.address)).size).toBe(200)
    await Promise.all(machines.map(({ id }) => provider.destroyMachine(id)))
    expect(await cloud.machines()).toEqual([])
  })
})
