import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { ReleaseSpec } from '../../../src/model/release.ts'
import type { Value } from '../../../src/model/value.ts'
import { configureDigest, installDigest } from '../../../src/planner/digests.ts'
import { expand } from '../../../src/planner/expand.ts'
import type { ToolkitRegistry, ToolkitService } from '../../../src/toolkit/contract.ts'
import { monitoringSchema } from '../../../src/toolkit/monitoring/schema.ts'
import { toolkit } from '../../../src/toolkit/registry.ts'
import { deployed, ordered } from './execution.ts'
import { component, inputFor, nothing, planOf, release, shop } from './world.ts'

/** A service without machines of its own, that puts `agent` onto every machine there is. */
function watcher(
  settings: Record<string, Value>,
  settingsOf: (service: string) => Record<string, Value> = () => settings,
): ToolkitRegistry {
  const service = {
    kind: 'watcher',
    schema: z.object({}),
    observes: true,
    plan: ({ name: by, components }: { name: string; components: { name: string }[] }) => ({
      components: [],
      members: [],
      extras: components.map(({ name }) => ({
        component: name,
        name: 'agent',
        recipe: 'mesh',
        settings: settingsOf(by),
      })),
    }),
  } as unknown as ToolkitService
  return { ...toolkit, watcher: service }
}

const watched = (spec: ReleaseSpec): ReleaseSpec => ({
  ...spec,
  blueprint: {
    ...spec.blueprint,
    // Before the balancer: order does not matter.
    services: [{ name: 'watcher', kind: 'watcher', spec: {} }, ...spec.blueprint.services],
  },
})

describe('extras', () => {
  test('reach machines of the application and of other services', () => {
    const { components } = expand(watched(shop()), watcher({}), {})
    expect(components.map(({ name, extras }) => [name, extras?.map((extra) => [extra.name, extra.kind])])).toEqual([
      ['web', [['agent', 'watcher']]],
      ['db', [['agent', 'watcher']]],
      ['loadBalancer', [['agent', 'watcher']]],
    ])
  })

  test('their recipe and settings are part of both digests, and without them nothing is', () => {
    const spec = watched(shop())
    const digests = (registry: ToolkitRegistry, of: ReleaseSpec) => {
      const { components } = expand(of, registry, {})
      const web = components.find(({ name }) => name === 'web')
      if (!web) throw new Error('no web')
      const [machine] = deployed(shop()).machines
      if (!machine) throw new Error('no machine')
      const world = { release: of, components, machines: [], overrides: {} }
      return [installDigest(of, web), configureDigest(world, web, machine)]
    }
    const plain = digests(toolkit, shop())
    const one = digests(watcher({ a: 1 }), spec)
    const other = digests(watcher({ a: 2 }), spec)
    const later = digests(watcher({ a: { $ref: 'secrets.db.password' } }), spec)
    expect(new Set([plain, one, other, later].map(([install]) => install)).size).toBe(4)
    expect(new Set([plain, one, other, later].map(([, configure]) => configure)).size).toBe(4)
    expect(digests(watcher({ a: 1 }), spec)).toEqual(one)
  })

  test('coming and going they install and configure every machine, and say so', () => {
    const state = deployed(shop())
    const plan = planOf(
      inputFor(watched(shop()), state, { toolkit: watcher({}), current: { number: 1, spec: shop() } }),
    )
    expect(ordered(plan).filter(({ kind }) => kind === 'install')).toHaveLength(4)
    expect(plan.changes.map(({ action }) => action)).toEqual(['update', 'update', 'update', 'update'])
    expect(plan.changes[0]?.reasons).toContainEqual({ message: 'agent on machines of web comes' })
  })

  test('what they refer to is known before', () => {
    const spec = watched(release({ components: [component('web', 'nodejs'), component('db', 'postgresql')] }))
    const plan = planOf(inputFor(spec, nothing(), { toolkit: watcher({ to: { $ref: 'db.machines' } }) }))
    expect(plan.units.find(({ id }) => id === 'web-1/configure')?.needs).toContain('db-1/create')
  })

  test('two services with other settings of the same for one machine are refused by name, with the same ones they share it', () => {
    const spec = watched(shop())
    const [first] = spec.blueprint.services
    const services = [...spec.blueprint.services, { ...first, name: 'second' } as typeof first & object]
    const twice = { ...spec, blueprint: { ...spec.blueprint, services } }
    const own = (service: string) => ({ service })
    expect(() => expand(twice, watcher({}, own), {})).toThrow(/two toolkit services put agent onto machines of web/)
  })
})

describe('one that only looks (monitoring)', () => {
  const looked = (spec: ReleaseSpec): ReleaseSpec => {
    const section = JSON.parse(JSON.stringify(monitoringSchema.parse({})))
    const services = [...spec.blueprint.services, { name: 'monitoring', kind: 'monitoring', spec: section }]
    return { ...spec, blueprint: { ...spec.blueprint, services } }
  }
  const needsOf = (spec: ReleaseSpec, id: string) =>
    planOf(inputFor(spec, nothing())).units.find((unit) => unit.id === id)?.needs ?? []

  test('is told where machines are, and waits for none to be healthy', () => {
    const needs = needsOf(looked(shop()), 'monitoring-1/configure')
    expect(needs).toEqual(expect.arrayContaining(['web-1/create', 'db-1/create', 'load-balancer-1/create']))
    expect(needs.filter((need) => need.endsWith('/ready'))).toEqual([])
  })

  test('is no user of a database, so that nobody is let in for it', () => {
    expect(needsOf(looked(shop()), 'db-1/configure')).toContain('web-1/create')
    expect(needsOf(looked(shop()), 'db-1/configure')).not.toContain('monitoring-1/create')
  })

  test('has forgotten a machine before it goes', () => {
    const spec = looked(shop())
    const fewer = looked(shop({ replicas: 1 }))
    const plan = planOf(inputFor(fewer, deployed(spec), { current: { number: 1, spec } }))
    const order = ordered(plan).map(({ id }) => id)
    const forgets = plan.units.filter(
      ({ machine, without }) => machine === 'monitoring-1' && without?.includes('web-2'),
    )
    expect(forgets.length).toBeGreaterThan(0)
    for (const { id } of forgets) expect(order.indexOf(id)).toBeLessThan(order.indexOf('web-2/destroy'))
  })
})
