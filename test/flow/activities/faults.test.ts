import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { appRelease } from '../../support/app.ts'
import { type Flow, startFlow } from '../../support/flow.ts'
import { timedOut } from '../../support/memory-cloud.ts'

let flow: Flow

beforeAll(async () => {
  flow = await startFlow()
})

afterAll(() => flow?.stop())

/** Every nth call fails, before or after its effect in turn: the same faults in every run of the test. */
function everyNth(n: number, phases: ('before' | 'after')[]): () => number {
  let calls = 0
  let failed = 0
  flow.cloud.hook = (call, phase) => {
    if (phase !== phases[failed % phases.length] || ++calls % n !== 0) return
    failed++
    throw timedOut(call)
  }
  return () => failed
}

describe('a cloud whose calls time out', () => {
  test('failed deploys under the same faults are undone to the last machine', async () => {
    everyNth(5, ['after', 'before'])
    flow.reach.hook = ({ name }) => (name === 'web-3' ? 'package:nodejs' : undefined)
    const names = Array.from({ length: 6 }, (_, i) => `doomed-${i + 1}`)
    const deployed = await Promise.all(names.map((name) => flow.deployed(name, appRelease({ web: 4 }))))
    flow.reach.hook = undefined
    flow.cloud.hook = undefined
    expect(deployed.map(({ status, result }) => [status, result?.undone])).toEqual(names.map(() => ['failed', true]))
    expect(flow.cloud.machines.size).toBe(0)
    expect(await flow.store.machines.listAll()).toEqual([])
  })
})

describe('size', () => {
  test('200 machines: below 4,096 events a run', async () => {
    flow.cloud.hook = undefined
    const operation = await flow.finished(await flow.deploy('large', appRelease({ web: 198 })), 240_000)
    expect(operation).toMatchObject({ status: 'succeeded', error: null })
    expect(flow.cloud.machines.size).toBe(200)
    const lengths: number[] = []
    const query = `WorkflowId = '${operation.id}'`
    for await (const { historyLength } of flow.connection.client.workflow.list({ query })) lengths.push(historyLength)
    expect(Math.max(...lengths)).toBeLessThan(4_096)
    const again = await flow.deployed('large', appRelease({ web: 198 }))
    expect(again.result?.units).toBe(0)
    const destroyed = await flow.finished(await flow.submit('large', 'destroy'), 240_000)
    expect(destroyed.status).toBe('succeeded')
    expect(flow.cloud.machines.size).toBe(0)
  })
})

describe('the shipped fake', () => {
  test('10 % of its calls take effect and then time out: exact counts, nothing too many, nothing lost', async () => {
    const cloud = await flow.useFake({ pendingPolls: 1, faults: [{ effect: 'timeout-after', rate: 0.1 }] })
    const { id: installation } = await flow.store.installation.get()
    const names = Array.from({ length: 12 }, (_, i) => `shaky-${i + 1}`)
    const deployed = await Promise.all(names.map((name) => flow.deployed(name, appRelease({ web: 5 }))))
    expect(deployed.map(({ status }) => status)).toEqual(names.map(() => 'succeeded'))
    const made = await cloud.listMachines({ tags: { installation } })
    expect(made).toHaveLength(12 * 7)
    expect(made.map(({ tags }) => tags.machine).sort()).toEqual(
      (await flow.store.machines.listAll()).map(({ id }) => id).sort(),
    )
    const destroyed = await Promise.all(names.map(async (name) => flow.finished(await flow.submit(name, 'destroy'))))
    expect(destroyed.map(({ status }) => status)).toEqual(names.map(() => 'succeeded'))
    expect(await cloud.listMachines({ tags: { installation } })).toEqual([])
    expect(await flow.store.machines.listAll()).toEqual([])
  })
})
