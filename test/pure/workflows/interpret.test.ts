import { describe, expect, test } from 'vitest'
import type { UnitKind, UnitSkeleton } from '../../../src/model/plan.ts'
import { type InterpretOptions, interpret } from '../../../src/workflows/interpret.ts'

type Outcome = 'done' | 'failed' | 'interrupted'

function unit(id: string, ...needs: string[]): UnitSkeleton {
  return { id, kind: id.split('/')[1] as UnitKind, needs }
}

/** Runs with outcomes by id; records the order of starts and ends, and the most that ran at once. */
async function run(
  units: UnitSkeleton[],
  outcomes: Record<string, Outcome> = {},
  options: Partial<InterpretOptions> = {},
) {
  const story: string[] = []
  let running = 0
  let most = 0
  const result = await interpret(units, {
    limit: 100,
    onFailure: 'stop',
    mayStart: () => true,
    async run({ id }) {
      story.push(`+${id}`)
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
      story.push(`-${id}`)
      return outcomes[id] ?? 'done'
    },
    ...options,
  })
  const ids = (list: UnitSkeleton[]) => list.map(({ id }) => id)
  return { story, most, failed: ids(result.failed), skipped: ids(result.skipped), unfinished: result.unfinished }
}

const two = [
  unit('db-1/create'),
  unit('db-1/install', 'db-1/create'),
  unit('web-1/create'),
  unit('web-1/install', 'web-1/create'),
  unit('db-1/configure', 'db-1/install', 'web-1/create'),
  unit('web-1/configure', 'web-1/install', 'db-1/configure'),
]

describe('interpret', () => {
  test('a unit starts the moment its needs are done, never before', async () => {
    const { story, unfinished } = await run(two)
    for (const { id, needs } of two) {
      for (const need of needs) expect(story.indexOf(`-${need}`)).toBeLessThan(story.indexOf(`+${id}`))
    }
    expect(story.slice(0, 2)).toEqual(['+db-1/create', '+web-1/create'])
    expect(unfinished).toBe(0)
  })

  test('needs that are not among the units were done before', async () => {
    const { story } = await run([unit('web-1/ready', 'web-1/configure')])
    expect(story).toEqual(['+web-1/ready', '-web-1/ready'])
  })

  test('nothing to do ends at once', async () => {
    expect(await run([])).toEqual({ story: [], most: 0, failed: [], skipped: [], unfinished: 0 })
  })

  test('never more at once than the limit', async () => {
    const many = Array.from({ length: 50 }, (_, index) => unit(`web-${index + 1}/create`))
    const { most, unfinished } = await run(many, {}, { limit: 7 })
    expect([most, unfinished]).toEqual([7, 0])
  })

  test('after a failure nothing new starts and what runs is awaited', async () => {
    const { story, failed, unfinished } = await run(two, { 'db-1/create': 'failed' })
    expect(story).toEqual(['+db-1/create', '+web-1/create', '-db-1/create', '-web-1/create'])
    expect([failed, unfinished]).toEqual([['db-1/create'], 4])
  })

  test('stops starting when asked to, and says what is left', async () => {
    let starts = 0
    const { unfinished, failed } = await run(two, {}, { mayStart: () => starts++ < 3 })
    expect([unfinished, failed]).toEqual([3, []])
  })

  test('an interrupted unit is neither done nor failed', async () => {
    const { failed, unfinished, story } = await run(two, { 'db-1/create': 'interrupted' }, { onFailure: 'go-on' })
    expect([failed, unfinished]).toEqual([[], 4])
    expect(story).not.toContain('+db-1/install')
  })

  test('going on: other machines go on, a machine that could not be made is not set up, destroying is tried anyway', async () => {
    const units = [...two, unit('web-1/destroy', 'web-1/configure')]
    const { failed, skipped, story, unfinished } = await run(
      units,
      { 'web-1/create': 'failed' },
      { onFailure: 'go-on' },
    )
    expect(failed).toEqual(['web-1/create'])
    expect(skipped).toEqual(['web-1/install', 'web-1/configure'])
    expect(story).toContain('-db-1/configure')
    expect(story).toContain('-web-1/destroy')
    expect(unfinished).toBe(0)
  })

  test('going on: a service that cannot be reached does not keep a machine from being put back', async () => {
    const units = [unit('web-1/leave/loadBalancer'), unit('web-1/configure', 'web-1/leave/loadBalancer')]
    const { failed, story } = await run(units, { 'web-1/leave/loadBalancer': 'failed' }, { onFailure: 'go-on' })
    expect(failed).toEqual(['web-1/leave/loadBalancer'])
    expect(story).toContain('-web-1/configure')
  })

  test('5,000 units in a chain do not overflow the stack', async () => {
    const chain = Array.from({ length: 5_000 }, (_, i) =>
      i === 0 ? unit('m/create') : unit(`m/${i}`, `m/${i > 1 ? i - 1 : 'create'}`),
    )
    expect((await run(chain)).unfinished).toBe(0)
  })
})
