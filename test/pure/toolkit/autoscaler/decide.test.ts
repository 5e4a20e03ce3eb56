import { describe, expect, test } from 'vitest'
import {
  type Decision,
  decide,
  freshHistory,
  type History,
  type Reading,
  type Situation,
} from '../../../../src/toolkit/autoscaler/decide.ts'
import { autoscalerSchema, type Policy, policyProblems } from '../../../../src/toolkit/autoscaler/schema.ts'
import { requests, rps, situation, start } from './situation.ts'

const base = { component: 'web', min: 2, max: 6, target: { metric: rps, value: 50 } }

function policyOf(more: object = {}): Policy {
  const policy = autoscalerSchema.parse({ ...base, ...more })
  expect(policyProblems(policy)).toEqual([])
  return policy
}

interface Step {
  at: number
  size: number
  reason: string
}

/** Decides every 15 s over a time; gives every change of size or reason, in seconds. */
function run(
  policy: Policy,
  seconds: number,
  load: (second: number) => Partial<Situation>,
  { size = 2, history = freshHistory }: { size?: number; history?: History } = {},
): Step[] {
  const steps: Step[] = []
  for (let at = 0; at <= seconds; at += 15) {
    const now = start + at * 1000
    const decision: Decision = decide(policy, situation({ now, size, ...load(at) }), history)
    history = decision.history
    const last = steps.at(-1)
    if (decision.size !== size || last?.reason !== decision.reason)
      steps.push({ at, size: decision.size, reason: decision.reason })
    size = decision.size
  }
  return steps
}

/** The same load for ever, known at each moment. */
const steady = (value: number) => (at: number) => ({ readings: requests(value, start + at * 1000) })

describe('targets', () => {
  test.for([
    [0, 2],
    [100, 2],
    [109, 2],
    [111, 3],
    [240, 5],
    [299, 6],
    [9000, 6],
  ])('%i requests/s for 50 per machine: %i machines', ([load = 0, size = 0]) => {
    expect(decide(policyOf(), situation({ readings: requests(load) }), freshHistory).size).toBe(size)
  })

  test('the message says what for, the inputs what from', () => {
    const { message, inputs } = decide(policyOf(), situation({ readings: requests(240) }), freshHistory)
    expect(message).toBe(`2 -> 5 machines: ${rps} is 120, its target 50`)
    expect(inputs).toEqual({ [rps]: { value: 120, wants: 5 } })
  })

  test('of several the one that asks for most counts', () => {
    const policy = policyOf({
      targets: [{ metric: 'cpu', value: 0.5 }],
    })
    const readings = { ...requests(100), cpu: { value: 1.9, at: start } }
    expect(decide(policy, situation({ readings }), freshHistory)).toMatchObject({ size: 4, reason: 'out' })
  })

  test('a level goes up by its ratio, and down one by one', () => {
    const policy = policyOf({ target: { metric: 'error-rate', value: 0.01 }, stabilisation: '0s' })
    const at = (value: number, size: number) =>
      decide(policy, situation({ size, readings: { 'error-rate': { value, at: start } } }), freshHistory).size
    expect([at(0.02, 2), at(0.01, 3), at(0, 6), at(0, 2)]).toEqual([4, 3, 5, 2])
  })

  test('an expression is a level, unless its value is shared by the machines', () => {
    const at = (shared: boolean) => {
      const policy = policyOf({ target: { promql: 'sum(jobs)', value: 10, shared }, stabilisation: '0s' })
      return decide(policy, situation({ size: 2, readings: { 'sum(jobs)': { value: 30, at: start } } }), freshHistory)
    }
    expect(at(true)).toMatchObject({ size: 3, inputs: { 'sum(jobs)': { value: 15, wants: 3 } } })
    expect(at(false)).toMatchObject({ size: 6, inputs: { 'sum(jobs)': { value: 30, wants: 6 } } })
  })

  test('steps add and remove by fixed numbers', () => {
    const policy = policyOf({
      target: undefined,
      steps: [
        { metric: rps, above: 80, change: 2 },
        { metric: rps, above: 60, change: 1 },
        { metric: rps, below: 10, change: -1 },
      ],
      stabilisation: '0s',
    })
    const at = (load: number, size: number) =>
      decide(policy, situation({ size, readings: requests(load) }), freshHistory).size
    expect([at(260, 3), at(210, 3), at(90, 3), at(20, 3)]).toEqual([5, 4, 3, 2])
  })
})

describe('time', () => {
  test('removing waits until less was wanted for the whole window, and follows the largest size in it', () => {
    const load = (at: number) => steady(at < 60 ? 290 : at < 120 ? 190 : 60)(at)
    const steps = run(policyOf({ cooldown: { out: '0s', in: '0s' }, warmUp: '0s', stabilisation: '2m' }), 400, load)
    expect(steps.filter(({ reason }) => reason === 'out' || reason === 'in')).toEqual([
      { at: 0, size: 6, reason: 'out' },
      { at: 165, size: 4, reason: 'in' },
      { at: 225, size: 2, reason: 'in' },
    ])
  })

  test('nothing is added within the cooldown of the last change, nothing removed while new machines warm up', () => {
    const policy = policyOf({ cooldown: { out: '1m', in: '0s' }, warmUp: '5m', stabilisation: '0s' })
    const load = (at: number) => steady(at < 15 ? 140 : at < 90 ? 240 : 60)(at)
    expect(run(policy, 400, load)).toEqual([
      { at: 0, size: 3, reason: 'out' },
      { at: 15, size: 3, reason: 'cooldown' },
      { at: 60, size: 5, reason: 'out' },
      { at: 75, size: 5, reason: 'steady' },
      { at: 90, size: 5, reason: 'warm-up' },
      { at: 360, size: 2, reason: 'in' },
      { at: 375, size: 2, reason: 'steady' },
    ])
  })

  test('not more at once than is allowed', () => {
    const policy = policyOf({
      steppingAtMost: { out: 1, in: 2 },
      cooldown: { out: '30s', in: '30s' },
      warmUp: '0s',
      stabilisation: '0s',
    })
    const steps = run(policy, 300, (at) => steady(at < 150 ? 999 : 0)(at))
    expect(steps.flatMap(({ size, reason }) => (/^(in|out)$/.test(reason) ? [size] : []))).toEqual([3, 4, 5, 6, 4, 2])
  })

  test('schedules change the bounds, in their own time zone, also over a change of the clock', () => {
    const policy = policyOf({
      schedules: [{ cron: '0 8 * * *', zone: 'Europe/Berlin', for: '2h', min: 4 }],
      stabilisation: '0s',
      cooldown: { out: '0s', in: '0s' },
      warmUp: '0s',
    })
    const sizes = (day: string) =>
      ['05:45', '06:15', '06:45', '07:15', '07:45', '08:15', '08:45', '09:15'].map((time) => {
        const now = Date.parse(`${day}T${time}:00Z`)
        return decide(policy, situation({ now, size: 3, readings: requests(140, now) }), freshHistory).size
      })
    expect(sizes('2026-06-01')).toEqual([3, 4, 4, 4, 4, 3, 3, 3])
    expect(sizes('2026-12-01')).toEqual([3, 3, 3, 4, 4, 4, 4, 3])
  })

  test('with schedules alone the size goes back to min after them', () => {
    const policy = policyOf({
      target: undefined,
      schedules: [{ cron: '0 6 * * *', for: '5m', min: 5 }],
      stabilisation: '1m',
    })
    const steps = run(policy, 900, () => ({}))
    expect(steps.filter(({ reason }) => reason === 'below-min' || reason === 'in').map(({ size }) => size)).toEqual([
      5, 2,
    ])
  })
})

describe('figures that cannot be trusted hold the size, and a person is told', () => {
  const bad: Record<string, Reading> = {
    'nobody answers': {},
    'no number': { value: Number.NaN, at: start },
    Infinity: { value: Number.POSITIVE_INFINITY, at: start },
    negative: { value: -5, at: start },
    's old': { value: 20, at: start - 7 * 86_400_000 },
    'ahead of the clock': { value: 20, at: start + 3_600_000 },
    'load-balancer-1 does not answer': { problem: 'load-balancer-1 does not answer' },
  }
  test.for(Object.entries(bad))('%s', ([says, reading]) => {
    const decision = decide(policyOf(), situation({ size: 5, readings: { [rps]: reading } }), freshHistory)
    expect(decision).toMatchObject({ size: 5, reason: 'no-figures', alert: true })
    expect(decision.message).toContain(says)
  })

  test('beside one that can, it still adds, and removes nothing', () => {
    const policy = policyOf({
      targets: [{ metric: 'cpu', value: 0.5 }],
      stabilisation: '0s',
    })
    const at = (cpu: number) =>
      decide(policy, situation({ size: 3, readings: { cpu: { value: cpu, at: start } } }), freshHistory)
    expect(at(2.5)).toMatchObject({ size: 5, reason: 'out' })
    expect(at(0.1)).toMatchObject({ size: 3, reason: 'no-figures' })
  })
})

describe('bounds', () => {
  const much = requests(10_000)

  test('not more machines in the deployment than allowed', () => {
    const decision = decide(policyOf({ maxMachines: 6 }), situation({ others: 2, readings: much }), freshHistory)
    expect(decision.size).toBe(4)
    const full = decide(policyOf({ maxMachines: 6 }), situation({ others: 4, readings: much }), freshHistory)
    expect(full).toMatchObject({ size: 2, reason: 'capped', alert: true })
    expect(full.message).toContain('maxMachines')
  })

  test('not fewer than others share with it', () => {
    const few = { carried: 3, readings: requests(0) }
    expect(decide(policyOf({}), situation({ ...few, size: 4 }), freshHistory).size).toBeGreaterThanOrEqual(3)
    expect(decide(policyOf({}), situation({ ...few, size: 1 }), freshHistory).size).toBe(3)
  })

  test('not more cost than allowed, and none where the price is not known', () => {
    const policy = policyOf({ maxMonthlyCost: 73 })
    const at = (costs: Situation['costs']) => decide(policy, situation({ readings: much, costs }), freshHistory)
    expect(at({ each: 14.6, others: 14.6 }).size).toBe(4)
    expect(at({ each: 0, others: 0 }).size).toBe(6)
    expect(at({ each: 0, others: 730 }).size).toBe(2)
    const blind = at({ unknown: 'there are no prices of mars-1 yet' })
    expect([blind.size, blind.alert, blind.message]).toEqual([2, true, expect.stringContaining('no prices of mars-1')])
  })

  test('a size out of bounds is put right without any figure', () => {
    expect(decide(policyOf(), situation({ size: 1 }), freshHistory)).toMatchObject({ size: 2, reason: 'below-min' })
    expect(decide(policyOf(), situation({ size: 9 }), freshHistory)).toMatchObject({ size: 6, reason: 'above-max' })
  })

  test('paused: nothing, whatever the load', () => {
    expect(decide(policyOf(), situation({ paused: true, readings: much }), freshHistory)).toMatchObject({
      size: 2,
      reason: 'paused',
    })
  })
})
