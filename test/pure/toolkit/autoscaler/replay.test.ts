import { describe, expect, test } from 'vitest'
import { type ReplayOptions, readLoad, readPolicy, replay } from '../../../../src/toolkit/autoscaler/replay.ts'

const start = Date.UTC(2026, 0, 31, 8)
const section = {
  component: 'web',
  min: 2,
  max: 10,
  target: { metric: 'requests-per-second-per-machine', value: 50 },
  cooldown: { out: '0s', in: '0s' },
  stabilisation: '1m',
  warmUp: '0s',
}
const policy = readPolicy(section, 'policy.yaml')

/** Requests per second every 15 s over minutes. */
function recorded(minutes: number, load: (minute: number) => number) {
  return Array.from({ length: minutes * 4 + 1 }, (_, i) => ({
    at: start + i * 15_000,
    figures: { 'requests-per-second': load(i / 4) },
  }))
}

describe('a replay', () => {
  const step = recorded(60, (minute) => (minute < 10 || minute >= 30 ? 80 : 400))

  test('of a load step: sizes over time, machine hours, cost, seconds over the target', () => {
    const { sizes, ...sums } = replay(policy, step, { boot: 60_000, cost: 365 })
    expect(sizes.map(({ at, from, to }) => [(at - start) / 1000, from, to])).toEqual([
      [600, 2, 8],
      [1845, 8, 2],
    ])
    // 2 machines for 39.25 minutes, 8 for 20.75; 60 s until the new ones serve.
    expect(sums).toEqual({
      seconds: 3600,
      largest: 8,
      machineHours: expect.closeTo((2 * 39.25 + 8 * 20.75) / 60),
      cost: expect.closeTo((2 * 39.25 + 8 * 20.75) / 120),
      secondsOverTarget: 60,
    })
  })

  test('of which the cost of a machine is not known has no cost, rather than none', () => {
    expect(replay(policy, step, { boot: 60_000, cost: null }).cost).toBeNull()
  })

  test('keeps to the cost that the policy allows, that of the other machines counted', () => {
    const capped = readPolicy({ ...section, maxMonthlyCost: 100 }, 'capped.yaml')
    const largest = (options: Partial<ReplayOptions>) => replay(capped, step, { boot: 0, cost: 20, ...options }).largest
    expect(largest({})).toBe(5)
    expect(largest({ others: { machines: 2, cost: 35 } })).toBe(3)
    expect(largest({ others: { machines: 2, cost: null } })).toBe(2)
    expect(largest({ cost: null })).toBe(2)
  })

  test('is the same again, whatever the order of the entries', () => {
    const options = { boot: 60_000, cost: 0 }
    expect(replay(policy, [...step].reverse(), options)).toEqual(replay(policy, step, options))
  })

  test('a policy that is slower has more seconds over the target and fewer machine hours', () => {
    const slow = readPolicy({ ...section, steppingAtMost: { out: 1 }, cooldown: { out: '2m', in: '0s' } }, 'slow.yaml')
    const options = { boot: 30_000, cost: 730 }
    const [quick, slower] = [replay(policy, step, options), replay(slow, step, options)]
    expect(slower.secondsOverTarget).toBeGreaterThan(quick.secondsOverTarget)
    expect(slower.machineHours).toBeLessThan(quick.machineHours)
  })

  test('a record with an entry a minute says what it holds until the next', () => {
    const coarse = step.filter((_, i) => i % 4 === 0)
    const { sizes } = replay(policy, coarse, { boot: 0, cost: 0 })
    expect(sizes.map(({ at, to }) => [(at - start) / 1000, to])).toEqual([
      [600, 8],
      [1845, 2],
    ])
  })

  test('a gap in the record holds the size', () => {
    const gap = step.filter(({ at }) => at < start + 1_000_000 || at > start + 2_400_000)
    const { sizes } = replay(policy, gap, { boot: 0, cost: 0 })
    expect(sizes.map(({ to }) => to)).toEqual([8, 2])
    expect(sizes[1]?.at).toBeGreaterThan(start + 2_400_000)
  })
})

describe('files', () => {
  test('CSV and JSON hold the same', () => {
    const csv = 'at,requests-per-second,cpu\n2026-01-31T08:00:00Z,120,0.5\n1769846415,90,\n'
    const json = JSON.stringify([
      { at: '2026-01-31T08:00:00Z', 'requests-per-second': 120, cpu: 0.5 },
      { at: 1769846415, 'requests-per-second': 90 },
    ])
    expect(readLoad(csv, 'load.csv')).toEqual(readLoad(json, 'load.json'))
    expect(readLoad(csv, 'load.csv')[1]).toEqual({ at: start + 15_000, figures: { 'requests-per-second': 90 } })
  })

  test.for([
    ['', 'has 0 entries'],
    ['at,x\n2026-01-31T08:00:00Z,1\n', 'has 1 entries'],
    ['at,x\nyesterday,1\n2026-01-31T08:00:00Z,1\n', 'entry 1: `at` must be a time'],
    ['at,x\n1,2\n1,2,3\n', 'line 3 has 3 cells, its head has 2'],
    ['[1', 'is no JSON'],
  ])('a record that is none is refused: %j', ([text = '', message = '']) => {
    expect(() => readLoad(text, 'load')).toThrow(message)
  })

  test('a policy that is none is refused with the place', () => {
    expect(() => readPolicy({ ...section, min: 11 }, 'p.yaml')).toThrow('p.yaml: min: 11 is more than max, 10')
    expect(() => readPolicy({ ...section, maxx: 3 }, 'p.yaml')).toThrow(/p\.yaml: .*maxx/)
    expect(() => readPolicy('x', 'p.yaml')).toThrow('p.yaml: ')
  })
})
