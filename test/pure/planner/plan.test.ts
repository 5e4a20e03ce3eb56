import { describe, expect, test } from 'vitest'
import type { Plan } from '../../../src/model/plan.ts'
import { shippedRecipes } from '../../../src/recipes/shipped.ts'
import { guestbookText, releaseOf } from '../../support/guestbook.ts'
import { executed } from './execution.ts'
import { inputFor, nothing, planOf, type State } from './world.ts'

const recipes = await shippedRecipes()
const guestbook = (change: (text: string) => string = (text) => text, options = {}) =>
  releaseOf(change(guestbookText), recipes, options)

const empty = nothing()
const deployed = (spec = guestbook()) => executed(empty, inputFor(spec, empty))
const needsOf = (made: Plan, id: string) => made.units.find((unit) => unit.id === id)?.needs
const actions = (made: Plan) => Object.fromEntries(made.changes.map(({ machine, action }) => [machine, action]))

describe('first deploy', () => {
  const made = planOf(inputFor(guestbook(), empty))
  test('installing waits for nothing but its own machine', () => {
    for (const { machine, needs } of made.units.filter(({ kind }) => kind === 'install'))
      expect(needs).toEqual([`${machine}/create`])
  })
  test('the database knows its clients by address before they are there; they wait for it to be ready', () => {
    expect(needsOf(made, 'db-1/configure')).toEqual(['db-1/install', 'web-1/create', 'web-2/create'])
    // Nobody comes to a service that is new: it is set up while what it sends to is installed.
    expect(needsOf(made, 'load-balancer-1/configure')).toEqual([
      'load-balancer-1/install',
      'web-1/create',
      'web-2/create',
    ])
    expect(needsOf(made, 'web-2/configure')).toEqual(
      expect.arrayContaining(['db-1/ready', 'web-1/migrate', 'web-2/install']),
    )
  })
  test('the migration runs once, before any machine of the component is configured', () => {
    expect(made.units.filter(({ kind }) => kind === 'migrate').map(({ id }) => id)).toEqual(['web-1/migrate'])
  })
  test('a cloud that is not there is refused with its place, by the names of those that are', () => {
    const spec = guestbook((text) => `${text}placement: { cloud: hme }\n`)
    expect(() => planOf(inputFor(spec, empty))).toThrow(
      'toolkit.loadBalancer.placement.cloud: there is no cloud hme; known clouds: home, other',
    )
    expect(() => planOf(inputFor(guestbook(), empty, { cloudId: null }))).toThrow(
      'no cloud was given for loadBalancer; known clouds: home, other',
    )
  })
  test('the same input gives the same digest, and a plan holds no value of a secret or address', () => {
    expect(planOf(inputFor(guestbook(), empty)).digest).toBe(made.digest)
    expect(JSON.stringify(made)).not.toMatch(/10\.0\.0|password/)
  })
})

describe('after a deploy', () => {
  test('nothing changed: nothing to do', () => {
    expect(planOf(inputFor(guestbook(), deployed())).units).toEqual([])
  })

  test('a new source goes machine by machine: out of traffic, configured, healthy, back, then the next', () => {
    const spec = guestbook(undefined, { source: 'b' })
    const made = planOf(inputFor(spec, deployed(), { current: { number: 1, spec: guestbook() } }))
    expect(actions(made)).toEqual({ 'web-1': 'update', 'web-2': 'update', 'db-1': 'keep', 'load-balancer-1': 'keep' })
    expect(needsOf(made, 'web-1/configure')).toContain('web-1/leave/loadBalancer')
    expect(needsOf(made, 'web-2/leave/loadBalancer')).toEqual(
      expect.arrayContaining(['web-1/join/loadBalancer', 'web-1/migrate', 'web-2/install']),
    )
    expect(made.changes.find(({ machine }) => machine === 'web-1')?.reasons[0]).toMatchObject({
      path: 'components.web.source',
    })
  })

  test('a machine more: database and balancer follow, the balancer only when it is healthy', () => {
    const made = planOf(inputFor(guestbook(undefined, { parameters: { replicas: 3 } }), deployed()))
    expect(actions(made)).toMatchObject({
      'web-3': 'create',
      'web-1': 'keep',
      'db-1': 'update',
      'load-balancer-1': 'update',
    })
    expect(needsOf(made, 'load-balancer-1/configure')).toContain('web-3/ready')
    expect(needsOf(made, 'web-3/configure')).toContain('db-1/ready')
  })

  test('a machine less: it leaves, its neighbours forget it, then it goes', () => {
    const made = planOf(inputFor(guestbook(undefined, { parameters: { replicas: 1 } }), deployed()))
    expect(actions(made)).toMatchObject({ 'web-2': 'remove', 'web-1': 'keep' })
    expect(needsOf(made, 'web-2/destroy')).toEqual(
      expect.arrayContaining([
        'web-2/leave/loadBalancer',
        'load-balancer-1/configure/without',
        'db-1/configure/without',
      ]),
    )
  })

  test('a machine that DNS answers with: out of the answers, then as long as they may be kept, then it goes', () => {
    const records = '[{ name: www, type: A, value: "${web.addresses}", ttl: 90s }]'
    const named = (text: string) =>
      text.replace('toolkit:', `toolkit:\n  dns: { zone: shop.example, records: ${records} }`)
    const spec = guestbook(named)
    const made = planOf(inputFor(guestbook(named, { parameters: { replicas: 1 } }), deployed(spec)))
    const destroy = made.units.find(({ id }) => id === 'web-2/destroy')
    expect(destroy?.wait).toBe(90_000)
    expect(destroy?.needs).toEqual(expect.arrayContaining(['dns-1/ready', 'dns-2/ready']))
    for (const node of ['dns-1', 'dns-2'])
      expect(made.units.find(({ id }) => id === `${node}/configure`)?.without).toEqual(['web-2'])
  })

  test('another image replaces: the new machine serves before the old one goes', () => {
    const change = (text: string) =>
      text.replace('memory: 512MiB, image: debian-13 }\n    env', 'memory: 512MiB, image: debian-12 }\n    env')
    const made = planOf(inputFor(guestbook(change), deployed()))
    expect(
      made.changes
        .filter(({ action }) => action === 'replace')
        .map(({ machine, replacement }) => [machine, replacement]),
    ).toEqual([
      ['web-1', 'web-3'],
      ['web-2', 'web-4'],
    ])
    expect(needsOf(made, 'web-1/leave/loadBalancer')).toEqual(
      expect.arrayContaining(['web-3/join/loadBalancer', 'web-4/join/loadBalancer']),
    )
    expect(needsOf(made, 'web-1/destroy')).toContain('web-1/leave/loadBalancer')
  })

  test('replacing the machine that holds data is refused until it is said, and the plan says why', () => {
    const change = (text: string) => text.replace('memory: 1GiB', 'memory: 2GiB')
    const made = planOf(inputFor(guestbook(change), deployed()))
    expect(made.refusals).toMatchObject([
      {
        code: 'data-loss-refused',
        component: 'db',
        machine: 'db-1',
        fix: expect.stringContaining('--allow-data-loss db'),
      },
    ])
    expect(made.refusals[0]?.message).toContain('memory of db changed')
    const allowed = planOf(inputFor(guestbook(change), deployed(), { allowDataLoss: ['db'] }))
    expect(allowed.refusals).toEqual([])
    // So that the plan that was shown is the one that can be applied.
    expect(allowed.digest).toBe(made.digest)
  })

  test('a drifted machine is put right', () => {
    const world = deployed()
    const machines = world.machines.map((machine) => ({ ...machine, drifted: machine.name === 'db-1' }))
    expect(actions(planOf(inputFor(guestbook(), { ...world, machines })))).toMatchObject({
      'db-1': 'update',
      'web-1': 'keep',
    })
  })

  test('destroy takes every machine', () => {
    const made = planOf(inputFor(undefined, deployed(), { kind: 'destroy', allowDataLoss: ['db'] }))
    expect(made.units.map(({ kind }) => kind)).toEqual(['destroy', 'destroy', 'destroy', 'destroy'])
    expect(made.refusals).toEqual([])
    const refused = planOf(inputFor(undefined, deployed(), { kind: 'destroy' }))
    expect(refused.refusals).toMatchObject([{ code: 'data-loss-refused', component: 'db', machine: 'db-1' }])
  })

  test('check looks at each machine, push configures the service alone', () => {
    expect(planOf(inputFor(guestbook(), deployed(), { kind: 'check' })).units.map(({ kind }) => kind)).toEqual([
      'check',
      'check',
      'check',
      'check',
    ])
    expect(
      planOf(inputFor(guestbook(), deployed(), { kind: 'push', service: 'loadBalancer' })).units.map(({ id }) => id),
    ).toEqual(['load-balancer-1/configure'])
  })
})

describe('convergence: after a plan had its effect there is nothing to do', () => {
  const targets = [
    guestbook(),
    guestbook(undefined, { source: 'b' }),
    guestbook(undefined, { parameters: { replicas: 5 } }),
    guestbook(undefined, { parameters: { replicas: 1 } }),
    guestbook((text) => text.replace('image: debian-13 }\n    env', 'image: debian-12 }\n    env')),
    guestbook((text) => text.replace('memory: 1GiB', 'memory: 2GiB')),
    guestbook((text) => text.replace('port: 80,', 'port: 8000,')),
    guestbook((text) => text.slice(0, text.indexOf('toolkit:'))),
  ]
  const pairs = targets.flatMap((from, i) => targets.map((to, j) => [i, j, from, to] as const))
  test.each(pairs)('from %i to %i', (_i, _j, from, to) => {
    const before = deployed(from)
    const input = inputFor(to, before, { allowDataLoss: ['db'], current: { number: 1, spec: from } })
    const world = executed(before, input)
    expect(planOf(inputFor(to, world)).units).toEqual([])
  })

  test('from any interrupted state too', () => {
    const spec = guestbook()
    const whole = deployed()
    for (const status of ['creating', 'created', 'installed', 'failed', 'lost', 'destroying'] as const) {
      for (const name of whole.machines.map((machine) => machine.name)) {
        const machines = whole.machines.map((machine) =>
          machine.name === name
            ? { ...machine, status, installDigest: null, configureDigest: null, releaseNumber: null }
            : machine,
        )
        const broken = { ...whole, machines }
        const world = executed(broken, inputFor(spec, broken))
        expect(planOf(inputFor(spec, world)).units, `${name} ${status}`).toEqual([])
      }
    }
  })
})

describe('a machine that is lost', () => {
  const spec = guestbook()
  const whole = deployed()
  const lost = (name: string): State => ({
    ...whole,
    machines: whole.machines.map((machine) => (machine.name === name ? { ...machine, status: 'lost' } : machine)),
  })
  const touching = ({ units }: Plan, name: string) =>
    units.filter(({ machine }) => machine === name).map(({ id }) => id)

  test('is replaced without being asked anything; the load balancer forgets it, and nobody else is touched', () => {
    const input = inputFor(spec, lost('web-1'), { kind: 'heal' })
    const made = planOf(input)
    expect(touching(made, 'web-1')).toEqual(['web-1/destroy'])
    expect(touching(made, 'web-2')).toEqual([])
    expect(touching(made, 'web-3')).toContain('web-3/join/loadBalancer')
    expect(made.changes.find(({ machine }) => machine === 'web-1')).toMatchObject({
      action: 'replace',
      replacement: 'web-3',
      reasons: [{ message: 'it is lost' }],
    })
    expect(
      executed(lost('web-1'), input)
        .machines.map(({ name }) => name)
        .sort(),
    ).toEqual(['db-1', 'load-balancer-1', 'web-2', 'web-3'])
  })

  test('is the first to go when there are to be fewer', () => {
    const made = planOf(
      inputFor(spec, lost('web-2'), { kind: 'scale', overrides: { scale: { web: { replicas: 1 } } } }),
    )
    expect(
      made.changes.filter(({ component }) => component === 'web').map((one) => `${one.machine} ${one.action}`),
    ).toEqual(['web-1 keep', 'web-2 remove'])
  })

  test('keeps its place in the way back of what could not replace it', () => {
    const undo = planOf(inputFor(spec, lost('web-1'), { kind: 'undo' }))
    expect(undo.units.filter(({ kind }) => kind === 'create' || kind === 'destroy')).toEqual([])
  })

  test('that holds data is refused to go until somebody says so', () => {
    const refused = planOf(inputFor(spec, lost('db-1'), { kind: 'heal' }))
    expect(refused.refusals.map(({ machine }) => machine)).toEqual(['db-1'])
    expect(planOf(inputFor(spec, lost('db-1'), { kind: 'heal', allowDataLoss: ['db'] })).refusals).toEqual([])
  })
})
