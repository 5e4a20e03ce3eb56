import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ImportedMachine } from '../../../src/model/imported-machine.ts'
import { controlFakeCloud, type FakeCloudControl } from '../../../src/providers/fake/control.ts'
import { type Flow, startFlow } from '../../support/flow.ts'
import { type WorkerUnderFire, workerUnderFire } from './worker-under-fire.ts'

let flow: Flow
let cloud: FakeCloudControl
let cloudId: string
let worker: WorkerUnderFire

beforeAll(async () => {
  flow = await startFlow({ worker: false })
  const { database, store, parts } = flow
  await store.clouds.remove(parts.tenantId, 'home')
  await flow.useFake({ faults: [{ effect: 'timeout-after', rate: 0.05 }] })
  const [row] = await store.clouds.list(parts.tenantId)
  cloudId = row?.id ?? ''
  cloud = controlFakeCloud(database.home, row?.name ?? '')
  worker = await workerUnderFire(flow)
})

afterAll(async () => {
  await worker?.stop()
  await flow?.stop()
})

const boundaries = [
  ...['adopt', 'forget'].flatMap((kind) => [`${kind}/before`, `${kind}/after`]),
  'adopt/row',
  'adopt/marked',
  'forget/gone',
]
const lives = 8

async function importOf(name: string): Promise<ImportedMachine> {
  const providerId = await cloud.plant(name)
  const made = (await cloud.machines()).find(({ id }) => id === providerId)
  const addresses = [{ address: made?.address ?? '', family: 4 as const, scope: 'private' as const, network: 'fake' }]
  const requirements = { cpu: 1, memory: 2 ** 30, image: 'debian-13' }
  const spec = { size: 's', image: 'debian-13', requirements }
  const login = { user: 'debian', port: 22, hostKey: made?.hostKey ?? '' }
  return { component: 'web', cloud: cloudId, providerId, addresses, spec, ...login }
}

test('a worker killed at any moment of an import or a forget leaves each machine taken in once, or untouched', async () => {
  const names = Array.from({ length: lives }, (_, i) => `life-${i}`)
  const kept = await Promise.all(names.map(async (name) => importOf(`${name}-kept`)))
  const gone = await Promise.all(names.map(async (name) => importOf(`${name}-gone`)))
  const operations = await Promise.all(
    names.map(async (name, i) => [
      await flow.submit(name, 'import', { import: kept[i] as ImportedMachine }),
      await flow.submit(name, 'import', { import: gone[i] as ImportedMachine }),
      await flow.submit(name, 'forget', { machines: ['web-2'] }),
    ]),
  )
  await worker.fire(boundaries, 2, 300_000)
  const ended = await Promise.all(operations.flat().map((operation) => flow.finished(operation, 200_000)))
  expect(ended.filter(({ status }) => status !== 'succeeded')).toEqual([])
  const rows = await flow.store.machines.listAll()
  expect(rows.map(({ providerId }) => providerId).sort()).toEqual(kept.map(({ providerId }) => providerId).sort())
  const marks = new Map((await cloud.machines()).map(({ id, tags }) => [id, tags.machine]))
  expect(marks.size).toBe(2 * lives)
  for (const { id, providerId = '', status } of rows) expect([marks.get(providerId), status]).toEqual([id, 'imported'])
  for (const { providerId } of gone) expect(marks.get(providerId)).toBe('')
  expect(worker.kills).toBeGreaterThan(0)
}, 600_000)
