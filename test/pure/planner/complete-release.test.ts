import { describe, expect, test } from 'vitest'
import type { ReleaseSpec } from '../../../src/model/release.ts'
import { completeRelease, type OwnParts } from '../../../src/planner/complete-release.ts'
import { shippedRecipes } from '../../../src/recipes/shipped.ts'
import { dnsSchema } from '../../../src/toolkit/dns/schema.ts'
import { monitoringSchema } from '../../../src/toolkit/monitoring/schema.ts'
import { toolkit } from '../../../src/toolkit/registry.ts'
import { apply, ordered } from './execution.ts'
import { balancer, component, inputFor, nothing, planOf, release } from './world.ts'

const recipes: OwnParts['recipes'] = new Map(
  [...(await shippedRecipes())].map(([name, { signature }]) => [name, { ...signature, archive: `${name} today` }]),
)
const service = (kind: string, spec: unknown) => ({ name: kind, kind, spec: JSON.parse(JSON.stringify(spec)) })

/** As an older Kitbag stored it: recipes of then, and neither the recipes nor the secrets that services have come to need. */
const stored: ReleaseSpec = release({
  components: [component('web', 'nodejs')],
  services: [
    balancer(['web']),
    service('dns', dnsSchema.parse({ zone: 'shop.example', machine: {} })),
    service('monitoring', monitoringSchema.parse({})),
  ],
})
const complete = (spec: ReleaseSpec) => completeRelease(spec, { toolkit, recipes })

describe('a release that an older Kitbag stored', () => {
  test('has this Kitbag’s recipes for its services, and its own ones for the application', () => {
    const { recipes: had } = complete(stored)
    expect(had.haproxy).toEqual(recipes.get('haproxy'))
    expect(had.nodejs).toEqual(stored.recipes.nodejs)
    for (const name of ['powerdns', 'prometheus', 'exporter-gate', 'journal']) expect(had).toHaveProperty(name)
  })

  test('has the secrets that these recipes need, and keeps the versions of those that it had', () => {
    const made = { 'dns.seed': 1, 'loadBalancer.seed': 1, 'monitoring.seed': 1 }
    expect(complete(stored).secretVersions).toEqual(made)
    const had = { 'dns.seed': 3, 'web.token': 2 }
    expect(complete({ ...stored, secretVersions: had }).secretVersions).toEqual({ ...made, ...had })
  })

  test('with a service that is not known here stays as it is', () => {
    const spec = { ...stored, blueprint: { ...stored.blueprint, services: [service('queue', { size: 1 })] } }
    expect(complete(spec)).toBe(spec)
  })
})

test('machines that an older recipe made are updated where they stand, and said why; a run-time change installs first', () => {
  const spec = complete(stored)
  const state = nothing()
  const input = inputFor(spec, state)
  const first = planOf(input)
  for (const unit of ordered(first)) apply(state, input, first, unit)
  const node = state.machines.find(({ name }) => name === 'load-balancer-1')
  Object.assign(node ?? {}, { installDigest: 'of an older recipe', configureDigest: 'of an older recipe' })
  const { changes } = planOf(inputFor(spec, state, { current: { number: 1, spec } }))
  expect(changes.filter(({ action }) => action !== 'keep')).toMatchObject([
    { action: 'update', machine: node?.name, reasons: [{ message: 'this Kitbag has another recipe for it' }] },
  ])
  const push = (more: object) =>
    planOf(inputFor(spec, state, { kind: 'push', service: 'loadBalancer', ...more })).units.map(({ id, needs }) => [
      id,
      needs,
    ])
  expect(push({})).toEqual([
    ['load-balancer-1/configure', ['load-balancer-1/install']],
    ['load-balancer-1/install', []],
  ])
  expect(push({ beside: true })).toEqual([['load-balancer-1/configure', []]])

  // Two name servers: the second one is left alone until the first one serves again.
  for (const one of state.machines) if (one.component === 'dns') one.installDigest = 'of an older recipe'
  expect(push({ service: 'dns' })).toEqual([
    ['dns-1/configure', ['dns-1/install']],
    ['dns-1/install', []],
    ['dns-2/configure', ['dns-1/configure', 'dns-2/install']],
    ['dns-2/install', []],
  ])
})
