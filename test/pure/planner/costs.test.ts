import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addUp, amount, type MachineCost, unknownCost } from '../../../src/model/cost.ts'
import type { ReleaseSpec } from '../../../src/model/release.ts'
import { type CostOf, deploymentCosts, planCosts } from '../../../src/planner/costs.ts'
import { apply, ordered } from './execution.ts'
import { component, inputFor, nothing, planOf, release, type State } from './world.ts'

const list = { of: 'test north', date: '2026-01-01', source: 'a test' }

function priced(parts: Partial<MachineCost> = {}): MachineCost {
  return {
    machine: 3.4311,
    disk: 0.64,
    address: 3.65,
    currency: 'USD',
    prices: list,
    unknown: null,
    atMost: false,
    ...parts,
  }
}

/** Bigger machines cost more; those of a cloud without prices have none. */
const bySize: CostOf = (cloudId, { requirements: { cpu } }) =>
  cloudId === 'cld_1' ? priced({ machine: amount(cpu * 3.4311) }) : unknownCost(`${cloudId} has no prices`)

const shops: fc.Arbitrary<ReleaseSpec> = fc
  .record({
    web: fc.nat(4),
    mesh: fc.nat(3),
    cpu: fc.constantFrom(1, 2, 4),
    db: fc.boolean(),
    elsewhere: fc.boolean(),
    shared: fc.boolean(),
  })
  .map(({ web, mesh, cpu, db, elsewhere, shared }) =>
    release({
      components: [
        ...(web > 0 ? [component('web', 'nodejs', { replicas: web, machine: { cpu } })] : []),
        ...(mesh > 0
          ? [
              component('mesh', 'mesh', {
                replicas: mesh,
                placement: elsewhere ? { cloud: 'other' } : shared && mesh <= web ? { with: 'web' } : {},
              }),
            ]
          : []),
        ...(db ? [component('db', 'postgresql')] : []),
      ],
    }),
  )

function deploy(state: State, spec: ReleaseSpec) {
  const input = inputFor(spec, state, { allowDataLoss: ['db'] })
  const made = planOf(input)
  const costs = planCosts(made, state.machines, bySize)
  for (const unit of ordered(made)) apply(state, input, made, unit)
  return costs
}

describe('for any two releases', () => {
  test('what a plan says of afterwards is what is afterwards, and every sum is that of its parts', () => {
    fc.assert(
      fc.property(shops, shops, (from, to) => {
        const state = nothing()
        expect(deploy(state, from).total.now.total).toBe(0)
        const before = deploymentCosts(state.machines, bySize)
        const { components, total } = deploy(state, to)
        const then = deploymentCosts(state.machines, bySize)
        expect([total.now, total.after]).toEqual([before.total, then.total])
        // Those that share another one's machine have none to pay for.
        expect(total.after.machines).toBe(state.machines.filter(({ hostId }) => hostId === undefined).length)
        for (const { after, now, difference } of [total, ...components]) {
          for (const sum of [now, after]) expect(sum.total).toBe(addUp([sum.machine, sum.disk, sum.address]))
          const known = now.total !== null && after.total !== null
          expect(difference).toBe(known ? amount((after.total ?? 0) - (now.total ?? 0)) : null)
        }
        expect(total.after.total).toBe(addUp(components.map(({ after }) => after.total)))
      }),
    )
  })

  test('one machine without a price makes the sum unknown, never smaller', () => {
    fc.assert(
      fc.property(shops, (spec) => {
        const state = nothing()
        const { total, unknown, components } = deploy(state, spec)
        const isElsewhere = state.machines.some(({ cloudId }) => cloudId === 'cld_2')
        expect(total.after.total === null).toBe(isElsewhere)
        expect(unknown).toEqual(isElsewhere ? ['cld_2 has no prices'] : [])
        const mesh = components.find((one) => one.component === 'mesh')
        if (isElsewhere) expect(mesh?.after).toMatchObject({ machine: null, disk: null, address: null, total: null })
      }),
    )
  })
})

test('a scale changes the cost by exactly that of the machines', () => {
  const state = nothing()
  const web = (replicas: number) => release({ components: [component('web', 'nodejs', { replicas })] })
  deploy(state, web(2))
  for (const [size, more] of [
    [5, 3],
    [1, -4],
    [3, 2],
  ] as const) {
    const { total } = deploy(state, web(size))
    expect([total.after.machines, total.difference]).toEqual([size, amount(more * 7.7211)])
  }
})

test('a machine that is replaced costs once, as it will be', () => {
  const state = nothing()
  const web = (cpu: number) => release({ components: [component('web', 'nodejs', { machine: { cpu } })] })
  deploy(state, web(1))
  const { total } = deploy(state, web(4))
  expect([total.now.machines, total.after.machines, total.difference]).toEqual([1, 1, amount(3 * 3.4311)])
})

test('amounts of several currencies are not added up', () => {
  const state = nothing()
  deploy(state, release({ components: [component('web', 'nodejs'), component('db', 'postgresql')] }))
  const costOf = (one: MachineCost, other: MachineCost) => {
    const [first] = state.machines
    return deploymentCosts(state.machines, (_, spec) => (spec === first?.spec ? one : other))
  }
  const mixed = costOf(priced(), priced({ currency: 'EUR' }))
  expect(mixed.total.total).toBeNull()
  expect(mixed.unknown).toEqual(['amounts in USD and EUR are not added up'])
  expect(mixed.components.map(({ total, currency }) => [total, currency])).toEqual([
    [7.7211, 'EUR'],
    [7.7211, 'USD'],
  ])
  const free = costOf(priced(), priced({ machine: 0, disk: 0, address: 0, currency: null }))
  expect(free.total).toMatchObject({ total: 7.7211, currency: 'USD' })
})
