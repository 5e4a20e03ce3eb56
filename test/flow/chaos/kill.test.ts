import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { OperationRecord } from '../../../src/model/operation.ts'
import type { Provider } from '../../../src/providers/contract.ts'
import { type App, appRelease } from '../../support/app.ts'
import { type Flow, startFlow } from '../../support/flow.ts'
import { type WorkerUnderFire, workerUnderFire } from './worker-under-fire.ts'

let flow: Flow
let cloud: Provider
let worker: WorkerUnderFire

beforeAll(async () => {
  flow = await startFlow({ worker: false })
  await flow.store.clouds.remove(flow.parts.tenantId, 'home')
  cloud = await flow.useFake({ pendingPolls: 1, faults: [{ effect: 'timeout-after', rate: 0.03 }] })
  worker = await workerUnderFire(flow)
})

afterAll(async () => {
  await worker?.stop()
  await flow?.stop()
})

const kinds = ['create', 'install', 'migrate', 'leave', 'configure', 'ready', 'join', 'destroy', 'check']
const boundaries = [...kinds.flatMap((kind) => [`${kind}/before`, `${kind}/after`]), 'create/made', 'destroy/gone']

const first: App = { migrate: 'node migrate.js' }
const second: App = { migrate: 'node migrate.js', version: '2' }

/** What one deployment goes through; operations queue up behind one another. */
async function life(name: string, index: number): Promise<OperationRecord[]> {
  const operations = [await flow.deploy(name, appRelease(first)), await flow.deploy(name, appRelease(second))]
  operations.push(await flow.submit(name, 'check'))
  // Every fourth asks for nine machines, of which the last cannot be set up: undone.
  const web = index % 4 === 0 ? 9 : index % 4 === 1 ? 1 : 3
  operations.push(await flow.submit(name, 'scale', { scale: { web } }))
  if (index % 4 === 3) operations.push(await flow.submit(name, 'destroy'))
  return operations
}

function expectedMachines(index: number): string[] {
  if (index % 4 === 3) return []
  const web = [2, 1, 3][index % 4] ?? 0
  return ['db-1', 'load-balancer-1', ...Array.from({ length: web }, (_, i) => `web-${i + 1}`)]
}

describe('kill -9 of the worker', () => {
  test('20 deployments converge, whatever boundary it dies at: no machine too many, none lost', async () => {
    const names = Array.from({ length: 20 }, (_, i) => `chaos-${i}`)
    const lives = await Promise.all(names.map(life))
    await worker.fire(boundaries, 2, 500_000)
    console.log(
      `killed ${worker.kills} times at: ${boundaries.map((name) => `${name} ${worker.hits.get(name)}`).join(', ')}`,
    )
    for (const [index, operations] of lives.entries()) {
      const ended = await Promise.all(operations.map((operation) => flow.finished(operation, 200_000)))
      const scaled = index % 4 === 0 ? 'failed' : 'succeeded'
      expect(ended.map(({ status }) => status)).toEqual(
        ['succeeded', 'succeeded', 'succeeded', scaled, 'succeeded'].slice(0, ended.length),
      )
      if (scaled === 'failed') expect(ended[3]).toMatchObject({ error: { machine: 'web-9' }, result: { undone: true } })
    }
    const { id: installation } = await flow.store.installation.get()
    const atCloud = await cloud.listMachines({ tags: { installation } })
    for (const [index, name] of names.entries()) {
      const deployment = await flow.store.deployments.getByName(flow.parts.tenantId, name)
      const here = atCloud.filter(({ tags }) => tags.deployment === deployment?.id)
      expect((await flow.machines(name)).rows).toEqual(expectedMachines(index))
      expect(here.map((machine) => machine.name).sort()).toEqual(expectedMachines(index))
    }
    expect(atCloud).toHaveLength(names.reduce((sum, _, index) => sum + expectedMachines(index).length, 0))
    expect((await flow.store.machines.listAll()).map(({ id }) => id).sort()).toEqual(
      atCloud.map(({ tags }) => tags.machine).sort(),
    )
  }, 710_000)
})
