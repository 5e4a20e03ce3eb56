import { expect, test } from 'vitest'
import { type MachineCost, unknownCost } from '../../../../src/model/cost.ts'
import type { MachineRecord } from '../../../../src/model/machine.ts'
import { readPolicy } from '../../../../src/toolkit/autoscaler/recorded.ts'
import type { Policy } from '../../../../src/toolkit/autoscaler/schema.ts'
import { watch } from '../../../../src/toolkit/autoscaler/watch.ts'
import type { WatchContext } from '../../../../src/toolkit/contract.ts'

const evening = { cron: '0 8 * * *', for: '10h', min: 5 }
const at = Date.parse('2026-03-02T09:00:00Z')
const rows = ['web', 'db'].map((component) => ({ component, status: 'ready' })) as MachineRecord[]
const cost = (machine: number, more: Partial<MachineCost> = {}): MachineCost => ({
  ...{ machine, disk: 2, address: 3, currency: 'USD', prices: null, unknown: null, atMost: false },
  ...more,
})

/** What is decided for one machine of web beside a database, when five are wanted. */
async function decided(maxMonthlyCost: number, costs: Record<string, MachineCost>) {
  const policy = readPolicy({ component: 'web', max: 8, schedules: [evening], maxMonthlyCost }, 'policy.yaml')
  const outcome = await watch.look({
    ...{ spec: policy, now: at, rows, overrides: {}, state: {}, memo: {}, operation: null },
    components: [{ name: 'web', replicas: 1, placement: {} }],
    costs:
      async () =>
      ({ component }: MachineRecord) =>
        costs[component] ?? unknownCost('nobody knows'),
  } as unknown as WatchContext<Policy>)
  const { operation, decisions = [] } = outcome ?? {}
  return { scale: operation?.request.scale, told: decisions[0]?.message }
}

test('machines, disks and addresses of the whole deployment count', async () => {
  const costs = { web: cost(10), db: cost(20) }
  expect((await decided(1000, costs)).scale).toEqual({ web: 5 })
  // 25 for the database, 15 for each of web.
  expect((await decided(70, costs)).scale).toEqual({ web: 3 })
  expect((await decided(69, costs)).scale).toEqual({ web: 2 })
  expect((await decided(39, costs)).scale).toBeUndefined()
})

test('with a cost that is not known nothing is added, and why is told', async () => {
  const far = await decided(1000, { web: cost(10), db: unknownCost('there are no prices of mars-1 yet') })
  expect(far.scale).toBeUndefined()
  expect(far.told).toContain('the cost of a machine is not known: there are no prices of mars-1 yet')
  const mixed = await decided(1000, { web: cost(10), db: cost(20, { currency: 'EUR' }) })
  expect([mixed.scale, mixed.told]).toEqual([undefined, expect.stringContaining('USD and EUR are not added up')])
})
