import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decide, freshHistory } from '../../../../src/toolkit/autoscaler/decide.ts'
import { autoscalerSchema, type Policy } from '../../../../src/toolkit/autoscaler/schema.ts'
import { requests, rps, situation, start } from './situation.ts'

const figure = fc.oneof(
  { weight: 6, arbitrary: fc.double({ min: 0, max: 2000, noNaN: true }) },
  fc.constantFrom(Number.NaN, -1, Number.POSITIVE_INFINITY),
  fc.double(),
)
const reading = fc.record({ value: figure, age: fc.nat(200_000), away: fc.boolean() })
const loads = fc.array(reading, { minLength: 1, maxLength: 80 })
const policies = fc
  .record({
    min: fc.integer({ min: 1, max: 5 }),
    more: fc.nat(10),
    target: fc.integer({ min: 1, max: 200 }),
    out: fc.constantFrom('0s', '30s', '2m'),
    in: fc.constantFrom('0s', '1m', '5m'),
    stabilisation: fc.constantFrom('0s', '1m', '10m'),
    warmUp: fc.constantFrom('0s', '1m'),
    maxMachines: fc.option(fc.integer({ min: 1, max: 15 }), { nil: undefined }),
    steps: fc.record({
      out: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
      in: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
    }),
  })
  .map(({ min, more, target, out, in: into, steps, ...rest }) =>
    autoscalerSchema.parse(
      JSON.parse(
        JSON.stringify({
          component: 'web',
          min,
          max: min + more,
          target: { metric: rps, value: target },
          cooldown: { out, in: into },
          steppingAtMost: steps,
          ...rest,
        }),
      ),
    ),
  )

test('between min and max, within maxMachines, by steps, after cooldowns, and never on figures that are none', () => {
  fc.assert(
    fc.property(policies, loads, fc.nat(5), (policy, rounds, others) => {
      let size = policy.min
      let history = freshHistory
      let changed = Number.NEGATIVE_INFINITY
      for (const [round, { value, age, away }] of rounds.entries()) {
        const now = start + round * 15_000
        const readings = away ? {} : { [rps]: { value, at: now - age } }
        const given = situation({ now, size, readings, others })
        const decision = decide(policy, given, history)
        expect(decide(policy, given, history)).toEqual(decision)
        history = decision.history
        expect(decision.size).toBeGreaterThanOrEqual(policy.min)
        expect(decision.size).toBeLessThanOrEqual(policy.max)
        expect(history.wanted.length).toBeLessThanOrEqual(2100)
        if (decision.size > size) {
          if (policy.maxMachines !== undefined) expect(decision.size + others).toBeLessThanOrEqual(policy.maxMachines)
          expect(decision.size - size).toBeLessThanOrEqual(policy.steppingAtMost.out ?? 1000)
          expect(now - changed).toBeGreaterThanOrEqual(policy.cooldown.out)
        }
        if (decision.size < size) {
          expect(size - decision.size).toBeLessThanOrEqual(policy.steppingAtMost.in ?? 1000)
          expect(now - changed).toBeGreaterThanOrEqual(policy.cooldown.in)
        }
        const isFigure = !away && Number.isFinite(value) && value >= 0 && age <= 45_000
        if (!isFigure) expect(decision.size).toBe(size)
        if (decision.size !== size) changed = now
        size = decision.size
      }
    }),
  )
})

test('under the same load for ever it comes to rest, at a size that is enough where max allows', () => {
  fc.assert(
    fc.property(policies, fc.double({ min: 0, max: 3000, noNaN: true }), (policy, load) => {
      const unlimited = { ...policy, maxMachines: undefined } as unknown as Policy
      let size = policy.min
      let history = freshHistory
      let last = 0
      for (let round = 0; round < 400; round++) {
        const now = start + round * 15_000
        const decision = decide(unlimited, situation({ now, size, readings: requests(load, now) }), history)
        if (decision.size !== size) last = round
        ;({ size, history } = decision)
      }
      expect(last).toBeLessThan(350)
      const target = policy.target?.value ?? 0
      if (size < policy.max) expect(load / size).toBeLessThanOrEqual(target * 1.1 + 1e-6)
      if (size > policy.min) expect(load / (size - 1)).toBeGreaterThan(target - 1e-6)
    }),
  )
})
