import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { outsideAddresses } from '../../../src/model/machine.ts'
import type { ReleaseSpec } from '../../../src/model/release.ts'
import type { Provider } from '../../../src/providers/contract.ts'
import { appRelease } from '../../support/app.ts'
import { type Flow, startFlow } from '../../support/flow.ts'

let flow: Flow
let cloud: Provider
let installation: string

/** Calls that took effect and were not answered, now and then. */
const faults = [
  { calls: ['assignAddress', 'releaseAddress', 'destroyMachine'], effect: 'timeout-after' as const, rate: 0.3 },
]

beforeAll(async () => {
  flow = await startFlow()
  cloud = await flow.useFake({ publicAddresses: true, faults })
  installation = (await flow.store.installation.get()).id
})
afterAll(() => flow?.stop())
afterEach(async () => {
  for (const { name } of await flow.store.deployments.list(flow.parts.tenantId, { limit: 50 }))
    await flow.finished(await flow.submit(name, 'destroy'))
  expect(await listed()).toEqual([])
  expect(await cloud.listMachines({ tags: { installation } })).toEqual([])
})

const listed = async () => (await cloud.staticAddresses?.list(installation)) ?? []

/** Web machines alone, of a size, with static addresses. */
function shop(web: number, memory = 512, staticAddress = true): ReleaseSpec {
  const spec = appRelease({ web, db: false, balancer: false })
  for (const one of spec.blueprint.components)
    one.machine = { ...one.machine, memory: memory * 2 ** 20, ...(staticAddress && { staticAddress }) }
  return spec
}

async function addressesOf(name: string) {
  const { id = '' } = (await flow.store.deployments.getByName(flow.parts.tenantId, name)) ?? {}
  const rows = (await flow.store.machines.list(id)).sort((a, b) => a.ordinal - b.ordinal)
  const fixed = rows.map((row) => row.addresses.flatMap((one) => (one.static ? one.address : [])))
  return {
    names: rows.map((row) => row.name),
    fixed: fixed.flat().sort(),
    outside: outsideAddresses(rows, rows).sort(),
  }
}

const succeeded = async (name: string, spec: ReleaseSpec) => {
  const { status, error } = await flow.deployed(name, spec)
  expect([status, error]).toEqual(['succeeded', null])
}

test('a machine keeps its public address when another takes its place; what is not needed any more is given back', async () => {
  await succeeded('moves', shop(2))
  const first = await addressesOf('moves')
  expect(first.fixed).toHaveLength(2)
  expect(first.outside).toEqual(first.fixed)

  await succeeded('moves', shop(2, 768))
  const second = await addressesOf('moves')
  expect(second.names).toEqual(['web-3', 'web-4'])
  expect(second.fixed).toEqual(first.fixed)

  await succeeded('moves', shop(3, 768))
  expect((await addressesOf('moves')).fixed).toEqual(expect.arrayContaining(first.fixed))
  expect(await listed()).toHaveLength(3)

  await succeeded('moves', shop(1, 768))
  const last = await addressesOf('moves')
  expect(last.fixed).toHaveLength(1)
  expect((await listed()).map(({ address }) => address)).toEqual(last.fixed)
})

test('one that is lost gives its address to the machine that heals', async () => {
  await succeeded('heals', shop(1))
  const { fixed } = await addressesOf('heals')
  const [row] = await flow.store.machines.list(
    (await flow.store.deployments.getByName(flow.parts.tenantId, 'heals'))?.id ?? '',
  )
  await cloud.destroyMachine(row?.providerId ?? '')
  await flow.store.machines.update(row?.id ?? '', { status: 'lost' })
  await succeeded('heals', shop(1))
  expect(await addressesOf('heals')).toEqual({ names: ['web-2'], fixed, outside: fixed })
  expect(await listed()).toHaveLength(1)
})

test('asked for later, it comes with a new machine; not asked for any more, it goes with it', async () => {
  await succeeded('later', shop(1, 512, false))
  expect((await addressesOf('later')).fixed).toEqual([])
  await succeeded('later', shop(1))
  expect((await addressesOf('later')).fixed).toHaveLength(1)
  await succeeded('later', shop(1, 512, false))
  expect((await addressesOf('later')).fixed).toEqual([])
  expect(await listed()).toEqual([])
})

test('a change that fails leaves the address where it was', async () => {
  await succeeded('fails', shop(1))
  const before = await addressesOf('fails')
  const spec = shop(1, 768)
  for (const one of spec.blueprint.components) one.health = { interval: 50, timeout: 50, grace: 200 }
  const { status } = await flow.deployed('fails', spec)
  expect(status).toBe('failed')
  expect(await addressesOf('fails')).toEqual(before)
  expect((await listed()).map(({ address }) => address)).toEqual(before.fixed)
})

test('a sweep finds what no machine has or is to have, and removes it', async () => {
  // What is asked by hand here is not asked again.
  cloud = await flow.useFake({ publicAddresses: true })
  await succeeded('swept', shop(1))
  const { tenantId, clouds } = flow.parts
  const { id = '' } = (await flow.store.deployments.getByName(tenantId, 'swept')) ?? {}
  const [machine] = await cloud.listMachines({ tags: { installation } })
  const owner = { installation, deployment: id }
  await cloud.staticAddresses?.assign(owner, 'web-9', machine?.id ?? '')
  const [mine] = (await addressesOf('swept')).fixed
  const found = await clouds.sweep({ remove: false, tenantId })
  expect(found.addresses).toMatchObject([{ name: 'web-9', deployment: 'swept', removed: false }])
  expect((await clouds.sweep({ remove: true, tenantId })).addresses).toMatchObject([{ removed: true }])
  expect((await listed()).map(({ address }) => address)).toEqual([mine])
})

test('a cloud without static addresses refuses who asks for one by name', async () => {
  const { publicAddresses: _, ...plain } = { publicAddresses: false }
  const former = cloud
  await flow.useFake(plain)
  const { status, error } = await flow.deployed('none', shop(1))
  expect(status).toBe('failed')
  expect(error?.message).toBe('web: its cloud has no static addresses, and staticAddress asks for one')
  cloud = former
})
