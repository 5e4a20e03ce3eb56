import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { UnitKind, UnitSkeleton } from '../../../src/model/plan.ts'
import { cancelSignal, operationWorkflowType, taskQueue } from '../../../src/workflows/messages.ts'
import { startTestTemporal, type TestTemporal } from '../../support/temporal.ts'
import { recordHistories } from './record-histories.ts'
import { type Rows, type Script, scriptedActivities } from './scripted-activities.ts'

const scripts = new Map<string, Script>()
const rows = new Map<string, Rows>()
let temporal: TestTemporal
let worker: { stop(): Promise<void> }

beforeAll(async () => {
  temporal = await startTestTemporal()
  worker = await temporal.work(scriptedActivities(scripts, rows))
})

afterAll(async () => {
  try {
    await worker?.stop()
    if (process.env.KITBAG_RECORD_HISTORIES) await recordHistories(temporal.client, [...scripts.keys()])
  } finally {
    await temporal?.stop()
  }
})

function unit(id: string, ...needs: string[]): UnitSkeleton {
  return { id, kind: id.split('/')[1] as UnitKind, needs }
}

function start(id: string, script: Script) {
  scripts.set(id, script)
  const args = [{ operationId: id }]
  return temporal.client.workflow.start(operationWorkflowType, { workflowId: id, taskQueue, args })
}

async function run(id: string, script: Script): Promise<Rows> {
  await (await start(id, script)).result()
  return rows.get(id) as Rows
}

const web = [
  unit('web-1/create'),
  unit('web-1/install', 'web-1/create'),
  unit('web-1/configure', 'web-1/install'),
  unit('web-1/ready', 'web-1/configure'),
]
const undo = [unit('web-1/destroy')]

describe('operation workflow', () => {
  test('runs the units in order and ends the operation', async () => {
    const { done, ending } = await run('op_plain', { units: web, behaviour: {} })
    expect(done).toEqual(web.map(({ id }) => id))
    expect(ending).toEqual({ ending: 'succeeded', problems: [] })
  })

  test('nothing to do succeeds at once', async () => {
    expect((await run('op_noop', { units: [], behaviour: {} })).ending?.ending).toBe('succeeded')
  })

  test('an activity whose worker went away is repeated', async () => {
    const { ending } = await run('op_once', { units: web, behaviour: { 'web-1/install': 'fail-once' } })
    expect(ending?.ending).toBe('succeeded')
  })

  test('a failure stops the plan, is undone and swept', async () => {
    const { done, ending, swept } = await run('op_fail', { units: web, undo, behaviour: { 'web-1/install': 'fail' } })
    expect(done).toEqual(['web-1/create', 'undo:web-1/destroy'])
    expect([ending?.ending, swept]).toEqual(['failed', true])
  })

  test('without a plan back nothing is swept either (keep-failed)', async () => {
    const { ending, swept } = await run('op_keep', { units: web, behaviour: { 'web-1/install': 'fail' } })
    expect([ending?.ending, swept]).toEqual(['failed', false])
  })

  for (const way of ['signal', 'cancellation'] as const) {
    test(`a ${way} interrupts what runs, starts nothing new, undoes`, async () => {
      const id = `op_cancel_${way}`
      const handle = await start(id, { units: web, undo, behaviour: { 'web-1/install': 'until-cancelled' } })
      await vi.waitFor(() => expect(rows.get(id)?.done).toEqual(['web-1/create']), { timeout: 120_000 })
      await (way === 'signal' ? handle.signal(cancelSignal) : handle.cancel())
      await handle.result()
      expect(rows.get(id)).toMatchObject({
        done: ['web-1/create', 'undo:web-1/destroy'],
        failed: [],
        swept: true,
        ending: { ending: 'cancelled' },
      })
    })
  }

  test('a unit that waits starts when its time has come, and a cancellation ends the wait', async () => {
    const units = (wait: number) => [unit('web-1/ready'), { ...unit('web-2/destroy', 'web-1/ready'), wait }]
    const { done } = await run('op_wait', { units: units(200), behaviour: {} })
    expect(done).toEqual(['web-1/ready', 'web-2/destroy'])
    const handle = await start('op_wait_long', { units: units(3_600_000), undo, behaviour: {} })
    await vi.waitFor(() => expect(rows.get('op_wait_long')?.done).toEqual(['web-1/ready']), { timeout: 120_000 })
    await handle.cancel()
    await handle.result()
    expect(rows.get('op_wait_long')).toMatchObject({
      done: ['web-1/ready', 'undo:web-1/destroy'],
      ending: { ending: 'cancelled' },
    })
  })

  test('an operation that is over is left alone', async () => {
    rows.set('op_over', { ...((await run('op_first', { units: [], behaviour: {} })) as Rows), runs: 0 })
    const { done } = await run('op_over', { units: web, behaviour: {} })
    expect(done).toEqual([])
  })

  test('200 machines: every run stays below 4,096 events, and no more than 100 units run at once', async () => {
    const units = Array.from({ length: 200 }, (_, i) => {
      const id = (kind: string) => `web-${i + 1}/${kind}`
      return [
        unit(id('create')),
        unit(id('install'), id('create')),
        unit(id('configure'), id('install')),
        unit(id('ready'), id('configure')),
        unit(id('join/loadBalancer'), id('ready')),
      ]
    }).flat()
    const { done, runs, most, ending } = await run('op_large', { units, behaviour: {} })
    expect([done.length, new Set(done).size, ending?.ending]).toEqual([1_000, 1_000, 'succeeded'])
    expect(most).toBeLessThanOrEqual(100)
    const lengths = await historyLengths('op_large')
    expect(lengths.length).toBe(runs)
    expect(Math.max(...lengths)).toBeLessThan(4_096)
  })
})

async function historyLengths(workflowId: string): Promise<number[]> {
  const lengths: number[] = []
  for await (const { historyLength } of temporal.client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
    lengths.push(historyLength)
  }
  return lengths
}
