import { describe, expect, test } from 'vitest'
import type { MachineRecord } from '../../../src/model/machine.ts'
import { forgetPlan, importPlan, nextName, withGuests } from '../../../src/planner/imports.ts'
import type { PlanInput } from '../../../src/planner/plan-input.ts'
import { machineRow } from './world.ts'

const row = (name: string, more: Partial<MachineRecord> = {}) => machineRow(name, { providerId: `i-${name}`, ...more })

const input = (machines: MachineRecord[], more: Partial<PlanInput> = {}): PlanInput => ({
  deployment: 'shop',
  kind: 'forget',
  machines,
  overrides: {},
  migrated: {},
  clouds: {},
  cloudId: 'cld_1',
  toolkit: {},
  allowDataLoss: [],
  ...more,
})

describe('import', () => {
  test('takes the lowest name that no machine of the component has', () => {
    expect(nextName([row('web-1'), row('web-3'), row('db-2')], 'web')).toBe('web-2')
    expect(nextName([], 'loadBalancer')).toBe('load-balancer-1')
  })

  test('is one unit, whatever else differs', () => {
    const machine = { component: 'web', cloud: 'cld_1', providerId: 'i-1', user: 'admin', port: 22, hostKey: 'k' }
    const { spec } = row('web-1')
    const whole = { ...machine, addresses: [], spec }
    const { units, changes } = importPlan(input([row('web-1')], { kind: 'import', import: whole }))
    expect(units.map(({ id, needs }) => [id, needs])).toEqual([['web-2/adopt', []]])
    expect(units[0]?.adopt).toEqual({ ...whole, ordinal: 2 })
    expect(changes).toMatchObject([{ action: 'import', machine: 'web-2' }])
  })
})

describe('forget', () => {
  test('of all touches nothing; of those that wait neither; of those that serve, others take notice', () => {
    const machines = [row('web-1'), row('web-2', { status: 'imported', imported: true })]
    const ids = (more: Partial<PlanInput>) => forgetPlan(input(machines, more))?.units.map(({ id }) => id)
    expect(ids({})).toEqual(['web-1/forget', 'web-2/forget'])
    expect(ids({ forget: ['web-2'] })).toEqual(['web-2/forget'])
    expect(ids({ forget: ['web-1'] })).toBeUndefined()
  })

  test('takes along who shares the machine, and none that shares one which stays', () => {
    const machines = [row('web-1'), row('web-2'), row('cache-1', { hostId: 'mac_web-2' })]
    expect(withGuests(input(machines, { forget: ['web-2'] })).forget).toEqual(['web-2', 'cache-1'])
    expect(() => withGuests(input(machines, { forget: ['cache-1'] }))).toThrow(
      'cache-1 has no machine of its own: it shares web-2',
    )
    expect(withGuests(input(machines, {})).forget).toBeUndefined()
  })
})
