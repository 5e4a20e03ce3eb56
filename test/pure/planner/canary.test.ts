import { describe, expect, test } from 'vitest'
import type { Plan, Unit } from '../../../src/model/plan.ts'
import { beginning, canaryIn, changed, ending, refuseMore } from '../../../src/planner/canary.ts'
import { loadBalancerSchema } from '../../../src/toolkit/load-balancer/schema.ts'
import { share } from '../../../src/toolkit/load-balancer/share.ts'

const canary = {
  component: 'web',
  share: 10,
  machines: ['web-1'],
  overrides: { loadBalancer: { 'web/web-1': { weight: 11 } } },
}
const before = { loadBalancer: { 'web/web-1': { state: 'drain' }, 'web/web-2': { weight: 7 } } }

test('a canary is kept with its weights beside what was stored, and leaves nothing when it ends', () => {
  const during = changed(before, beginning(before, canary, 3))
  expect(canaryIn(during)).toEqual({ ...canary, release: 3 })
  expect(during.loadBalancer).toEqual({ 'web/web-1': { state: 'drain', weight: 11 }, 'web/web-2': { weight: 7 } })
  expect(changed(during, ending(during))).toEqual({ ...before, canary: {} })
  expect(ending(before)).toEqual({})
})

describe('weights', () => {
  const spec = loadBalancerSchema.parse({
    listeners: [
      { port: 80, to: 'web' },
      { port: 81, to: 'db', protocol: 'tcp' },
    ],
  })
  /** Percent that the chosen ones get. */
  const got = (machines: number, chosen: number, percent: number) => {
    const names = Array.from({ length: machines }, (_, i) => `web-${i + 1}`)
    const weights = share({ spec, component: 'web', machines: names, chosen: names.slice(0, chosen), share: percent })
    const of = (name: string) => (weights[`web/${name}`]?.weight as number | undefined) ?? 100
    const sum = (list: string[]) => list.reduce((total, name) => total + of(name), 0)
    expect(Math.max(...names.map(of))).toBeLessThanOrEqual(256)
    expect(Math.min(...names.map(of))).toBeGreaterThanOrEqual(1)
    return (100 * sum(names.slice(0, chosen))) / sum(names)
  }
  test.for([
    [2, 1, 10],
    [2, 1, 50],
    [2, 1, 90],
    [3, 1, 1],
    [10, 1, 10],
    [10, 4, 45],
    [20, 1, 3],
  ] as const)('%i machines, %i with the new release, %i %%', ([machines, chosen, percent]) => {
    expect(Math.abs(got(machines, chosen, percent) - percent)).toBeLessThan(0.6)
  })
})

describe('a plan that does more is refused', () => {
  const unit = (kind: Unit['kind'], machine: string, component = machine.replace(/-\d+$/, '')): Unit => ({
    id: `${machine}/${kind}`,
    kind,
    component,
    machine,
    needs: [],
    reason: 'because',
  })
  const plan = (...units: Unit[]) => ({ units }) as Plan
  const own = [unit('configure', 'web-1'), unit('ready', 'web-1')]

  test('the canary’s machines and its load balancer may change', () => {
    expect(() => refuseMore(plan(...own, unit('configure', 'load-balancer-1', 'loadBalancer')), canary)).not.toThrow()
  })
  test.for([
    ['another component', unit('configure', 'db-1')],
    ['a new machine', unit('create', 'web-3')],
    ['a machine that goes', unit('destroy', 'web-1')],
  ] as const)('%s', ([, more]) => {
    expect(() => refuseMore(plan(...own, more), canary)).toThrow(`this would also ${more.kind} ${more.machine}`)
  })
  test('nothing to try', () => {
    expect(() => refuseMore(plan(), canary)).toThrow('nothing to try')
  })
})
