import { expect, test } from 'vitest'
import { deploymentCostsText, planCostsText } from '../../../src/cli/costs-text.ts'
import { amount, type MachineCost, notesOn, sumOf, unknownCost } from '../../../src/model/cost.ts'

const list = { of: 'aws us-east-1', date: '2026-01-19', source: "AWS's price list" }
const cost = (machine: number, more: Partial<MachineCost> = {}): MachineCost => ({
  machine,
  disk: 0.64,
  address: 3.65,
  currency: 'USD',
  prices: list,
  unknown: null,
  atMost: false,
  ...more,
})

/** Component -> machines now and afterwards. */
function plan(components: Record<string, [MachineCost[], MachineCost[]]>) {
  const compared = ([before, then]: [MachineCost[], MachineCost[]]) => {
    const [now, after] = [sumOf(before), sumOf(then)]
    const difference = now.total === null || after.total === null ? null : amount(after.total - now.total)
    return { now, after, difference }
  }
  const all = Object.values(components)
  const whole: [MachineCost[], MachineCost[]] = [all.flatMap(([before]) => before), all.flatMap(([, then]) => then)]
  return {
    ...notesOn(whole.flat()),
    components: Object.entries(components).map(([component, both]) => ({ component, ...compared(both) })),
    total: compared(whole),
  }
}

test('a line for each component, the total, the date of the prices', () => {
  const costs = plan({
    db: [[cost(27.448)], [cost(27.448)]],
    web: [[cost(3.431)], [cost(3.431), cost(3.431), cost(3.431)]],
    worker: [[cost(6.862)], []],
  })
  expect(planCostsText(costs)).toEqual([
    'Costs a month (730 hours) in USD; what they are after the change, taken apart:',
    '',
    '             NOW  AFTER  DIFFERENCE  MACHINES  DISKS  ADDRESSES',
    '  db       31.74  31.74        0.00     27.45   0.64       3.65',
    '  web x 3   7.72  23.16      +15.44     10.29   1.92      10.95',
    '  worker   11.15   0.00      -11.15      0.00   0.00       0.00',
    '  total    50.61  54.90       +4.29     37.74   2.56      14.60',
    '',
    "Prices: aws us-east-1 of 2026-01-19 (AWS's price list). Traffic is not counted.",
  ])
})

test('what is not known is said, and is no amount', () => {
  const far = unknownCost('there are no prices of mars-1 yet')
  const huge = cost(0, { machine: null, unknown: 'the prices do not have x99.huge', atMost: true })
  const lines = planCostsText(plan({ far: [[], [far]], huge: [[huge], [huge]], web: [[], [cost(3.431)]] }))
  expect(lines.slice(2, 7)).toEqual([
    '             NOW    AFTER  DIFFERENCE  MACHINES    DISKS  ADDRESSES',
    '  far       0.00  unknown     unknown   unknown  unknown    unknown',
    '  huge   unknown  unknown     unknown   unknown     0.64       3.65',
    '  web       0.00     7.72       +7.72      3.43     0.64       3.65',
    '  total  unknown  unknown     unknown   unknown  unknown    unknown',
  ])
  expect(lines.slice(8)).toEqual([
    "Prices: aws us-east-1 of 2026-01-19 (AWS's price list). Traffic is not counted.",
    'Spot machines are counted as on demand: it may cost less.',
    'Not known: the prices do not have x99.huge',
    'Not known: there are no prices of mars-1 yet',
  ])
  expect(planCostsText(plan({ far: [[far], [far, far]] }))).toEqual([
    'Costs: unknown',
    'Not known: there are no prices of mars-1 yet',
  ])
})

test('currencies are named where there are several; machines that cost nothing take no line', () => {
  const pound = cost(5, { currency: 'GBP' })
  const lines = planCostsText(plan({ db: [[], [pound]], web: [[], [cost(1)]] }))
  expect(lines[0]).toContain('Costs a month (730 hours);')
  expect(
    lines.slice(3, 6).map((line) =>
      line
        .trim()
        .split(/\s{2,}/)
        .slice(0, 3),
    ),
  ).toEqual([
    ['db GBP', '0.00', '9.29'],
    ['web USD', '0.00', '5.29'],
    ['total', '0.00', 'unknown'],
  ])
  expect(lines.at(-1)).toBe('Not known: amounts in GBP and USD are not added up')
  const free = cost(0, { disk: 0, address: 0, currency: null, prices: null })
  expect(planCostsText(plan({ web: [[free], [free, free]] }))).toEqual([])
})

test('a deployment in one line', () => {
  const of = (...costs: MachineCost[]) => ({
    ...notesOn(costs),
    components: [{ component: 'web', ...sumOf(costs) }],
    total: sumOf(costs),
  })
  expect(deploymentCostsText(of(cost(3.431), cost(3.431)))[0]).toBe(
    'costs 15.44 USD a month (machines 6.86, disks 1.28, addresses 7.30)',
  )
  expect(deploymentCostsText(of(unknownCost('who knows')))).toEqual(['costs unknown', 'Not known: who knows'])
  expect(deploymentCostsText(of(cost(1, { machine: null, unknown: 'which' })))[0]).toBe(
    'costs unknown a month (machines unknown, disks 0.64, addresses 3.65)',
  )
  expect(deploymentCostsText(of())).toEqual([])
})
