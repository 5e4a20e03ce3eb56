import { describe, expect, test } from 'vitest'
import type { ResolvedComponent, ResolvedService } from '../../../src/model/blueprint.ts'
import { KitbagError } from '../../../src/model/errors.ts'
import type { ReleaseSpec } from '../../../src/model/release.ts'
import { admissionsOf } from '../../../src/planner/admissions.ts'
import { cloudFirewalls } from '../../../src/planner/cloud-firewall.ts'
import { expand } from '../../../src/planner/expand.ts'
import { refusePublicLinks } from '../../../src/planner/plain-links.ts'
import { shippedRecipes } from '../../../src/recipes/shipped.ts'
import { monitoringSchema } from '../../../src/toolkit/monitoring/schema.ts'
import { toolkit } from '../../../src/toolkit/registry.ts'
import { deployed, executed } from './execution.ts'
import { balancer, component, inputFor, nothing, planOf, release, type State } from './world.ts'

const withWeb = { placement: { with: 'web' } }
const web = (replicas: number, more: Parameters<typeof component>[2] = {}) =>
  component('web', 'nodejs', { replicas, env: { URL: { $ref: 'db.url' } }, ...more })
const db = (more = {}) => component('db', 'postgresql', more)

function shop(components: ResolvedComponent[], services: ResolvedService[] = [], firewall = false): ReleaseSpec {
  return release({ components, services, firewall, secretVersions: { 'db.password': 1 } })
}

/** `monitoring-1 on web-1`. */
function places({ machines }: State): string[] {
  const nameOf = new Map(machines.map(({ id, name }) => [id, name]))
  return machines.map(({ name, hostId }) => (hostId ? `${name} on ${nameOf.get(hostId)}` : name)).sort()
}

const message = (work: () => unknown) => {
  try {
    work()
  } catch (error) {
    if (error instanceof KitbagError) return error.message
    throw error
  }
  return undefined
}

describe('who is where', () => {
  const balanced = [balancer(['web'], 2, 'loadBalancer', withWeb)]

  test('on the first machines, each once', () => {
    expect(places(deployed(shop([web(3), db(withWeb)], balanced)))).toEqual([
      'db-1 on web-1',
      'load-balancer-1 on web-1',
      'load-balancer-2 on web-2',
      'web-1',
      'web-2',
      'web-3',
    ])
  })

  test('no machine is made for it, and its programs run on that of the other', () => {
    const input = inputFor(shop([web(1), db(withWeb)]), nothing())
    const { units, changes } = planOf(input)
    expect(units.find(({ id }) => id === 'db-1/create')).toMatchObject({
      needs: ['web-1/create'],
      create: { on: 'web-1', stateful: true },
    })
    expect(units.find(({ id }) => id === 'db-1/install')?.needs).toEqual(['db-1/create', 'web-1/install'])
    expect(changes.find(({ machine }) => machine === 'db-1')).toMatchObject({ action: 'create', on: 'web-1' })
    expect(changes[1]).toMatchObject({ machine: 'db-1', on: 'web-1' })
  })

  test('fewer machines: those that carry something stay, data before all', () => {
    const before = deployed(shop([web(3), db(withWeb)], [balancer(['web'], 1, 'loadBalancer', withWeb)]))
    const [first, , third] = before.machines.filter(({ component: owner }) => owner === 'web')
    for (const row of before.machines)
      if (row.component !== 'web') row.hostId = (row.component === 'db' ? third?.id : first?.id) ?? ''
    const to = (replicas: number) => shop([web(replicas), db(withWeb)], [balancer(['web'], 1, 'loadBalancer', withWeb)])
    expect(places(executed(before, inputFor(to(2), before)))).toEqual([
      'db-1 on web-3',
      'load-balancer-1 on web-1',
      'web-1',
      'web-3',
    ])
    expect(places(executed(before, inputFor(to(1), before)))).toEqual([
      'db-1 on web-3',
      'load-balancer-2 on web-3',
      'web-3',
    ])
  })

  test('a machine that is lost takes with it what it carries; data holds it back', () => {
    const spec = shop([web(2)], [balancer(['web'], 1, 'loadBalancer', withWeb)])
    const before = deployed(spec)
    for (const row of before.machines) if (row.name === 'web-1' || row.hostId) row.status = 'lost'
    expect(places(executed(before, inputFor(spec, before, { kind: 'heal' })))).toEqual([
      'load-balancer-2 on web-2',
      'web-2',
      'web-3',
    ])
    const held = deployed(shop([web(1), db(withWeb)]))
    for (const row of held.machines) row.status = 'lost'
    const { refusals } = planOf(inputFor(shop([web(1), db(withWeb)]), held, { kind: 'heal' }))
    expect(refusals.map(({ machine }) => machine)).toEqual(['db-1'])
  })

  test('to machines of its own and back: the old row goes when the new one serves', () => {
    const own = shop([web(2)], [balancer(['web'])])
    const shared = shop([web(2)], [balancer(['web'], 1, 'loadBalancer', withWeb)])
    const moved = executed(deployed(own), inputFor(shared, deployed(own)))
    expect(places(moved)).toEqual(['load-balancer-2 on web-1', 'web-1', 'web-2'])
    expect(places(executed(moved, inputFor(own, moved)))).toEqual(['load-balancer-1', 'web-1', 'web-2'])
  })

  test('a machine goes after all that it carries', () => {
    const before = deployed(shop([web(1), db(withWeb)]))
    const { units } = planOf(inputFor(undefined, before, { kind: 'destroy' }))
    expect(units.find(({ id }) => id === 'web-1/destroy')?.needs).toContain('db-1/destroy')
  })
})

test('what shares machines is at their cloud, for services too', () => {
  const at = { placement: { cloud: 'other' } }
  const spec = shop([web(1, at), db(withWeb)], [balancer(['web'], 1, 'loadBalancer', withWeb)])
  const { components } = expand(spec, toolkit, {})
  expect(components.map(({ name, placement }) => [name, placement])).toEqual([
    ['web', { cloud: 'other' }],
    ['db', { cloud: 'other', with: 'web' }],
    ['loadBalancer', { cloud: 'other', with: 'web' }],
  ])
  // None of them is reached through a door between clouds.
  expect(components.flatMap(({ extras = [] }) => extras)).toEqual([])
  expect(planOf(inputFor(spec, nothing())).units.find(({ id }) => id === 'db-1/create')?.create?.cloud).toBe('cld_2')
})

describe('what is refused', () => {
  const refused = (spec: ReleaseSpec) => message(() => planOf(inputFor(spec, nothing())))

  test.each([
    [
      'a port that two want',
      shop([web(1), component('api', 'nodejs', withWeb), db()]),
      'components.api.placement.with: components.api and components.web share a machine, and both listen on port 8080',
    ],
    [
      'a port of a listener',
      shop([web(1, { port: 80 }), db()], [balancer(['web'], 1, 'loadBalancer', withWeb)]),
      'toolkit.loadBalancer.placement.with: toolkit.loadBalancer and components.web share a machine, and both listen on port 80',
    ],
    [
      'a daemon twice',
      shop([component('web', 'postgresql', { port: 5433 }), db(withWeb)]),
      'components.db.placement.with: components.db and components.web share a machine, and both are postgresql, which it can have once',
    ],
    [
      'more than there are',
      shop([web(1), component('mesh', 'mesh', { ...withWeb, replicas: 2 }), db()]),
      'components.mesh.placement.with: mesh needs 2 machines of web, which has 1',
    ],
  ])('%s', (_, spec, wanted) => expect(refused(spec)).toBe(wanted))

  test('a size that leaves no room', () => {
    const spec = shop([web(2), db(withWeb)])
    const input = inputFor(spec, nothing(), { overrides: { scale: { web: { replicas: 0 } } } })
    expect(message(() => planOf(input))).toBe('components.db.placement.with: db needs 1 machines of web, which has 0')
  })

  test('a link that stays on one machine crosses no network', () => {
    const spec = shop([web(1), db(withWeb)])
    const { components } = expand(spec, toolkit, {})
    const { machines } = deployed(spec)
    for (const { addresses } of machines) for (const address of addresses) address.scope = 'public'
    expect(message(() => refusePublicLinks({ release: spec, components, machines }, 'web'))).toBeUndefined()
    const apart = deployed(shop([web(2), db(withWeb)])).machines
    for (const { addresses } of apart) for (const address of addresses) address.scope = 'public'
    expect(message(() => refusePublicLinks({ release: spec, components, machines: apart }, 'web'))).toContain(
      'public address only',
    )
  })
})

describe('the firewall of a shared machine', () => {
  const spec = shop(
    [web(1), db(withWeb), component('api', 'nodejs', { port: 8081, env: { DB: { $ref: 'db.host' } } })],
    [],
    true,
  )

  test('lets in whom each of its components lets in, on the machine and at its cloud', () => {
    const { components } = expand(spec, toolkit, {})
    const [owner] = components
    if (!owner) throw new Error('no web')
    expect(components.map(({ name, extras = [] }) => [name, extras.map((extra) => extra.name)])).toEqual([
      ['web', ['firewall']],
      ['db', []],
      ['api', ['firewall']],
    ])
    expect(admissionsOf(spec, components, owner)).toEqual([
      { protocol: 'tcp', port: 5432, sources: [{ component: 'api' }, { component: 'web' }] },
    ])
    const clouds = cloudFirewalls([spec], { toolkit, machines: [], clouds: {}, cloudId: 'cld_1', overrides: {} })
    expect(Object.keys(clouds.get('cld_1') ?? {})).toEqual(['web', 'api'])
  })

  test('goes on letting in whom a component lets in that moves away, until that is gone', () => {
    const before = deployed(spec)
    const to = shop(
      [web(1), db(), component('api', 'nodejs', { port: 8081, env: { DB: { $ref: 'db.host' } } })],
      [],
      true,
    )
    const input = inputFor(to, before, {
      allowDataLoss: ['db'],
      current: { number: 1, spec },
      release: { number: 2, spec: to },
    })
    const { units } = planOf(input)
    const opened = units.find(({ id }) => id === 'web-1/configure/firewall')
    expect(opened?.also).toContainEqual({
      protocol: 'tcp',
      port: 5432,
      sources: [{ component: 'api' }, { component: 'web' }],
    })
    const after = units.find(({ id }) => id === 'web-1/configure/firewall-after')
    expect(after?.needs).toContain('db-1/destroy')
  })
})

test('monitoring: a machine has one gate, behind which all that is on it answers, each with its name', async () => {
  const recipes = await shippedRecipes()
  const signatures = [...recipes].map(([name, { signature }]) => [name, { ...signature, archive: '' }] as const)
  const spec = JSON.parse(JSON.stringify(monitoringSchema.parse({ placement: { with: 'db' } })))
  const base = shop(
    [web(1), db()],
    [balancer(['web'], 1, 'loadBalancer', withWeb), { name: 'monitoring', kind: 'monitoring', spec }],
  )
  const { components } = expand({ ...base, recipes: Object.fromEntries(signatures) }, toolkit, {})
  const gates = components.flatMap(({ name, extras = [] }) =>
    extras.flatMap((extra) =>
      extra.name === 'exporter-gate' ? [[name, Object.keys(extra.settings.modules as object)]] : [],
    ),
  )
  expect(gates).toEqual([
    ['web', ['node', 'container', 'load-balancer', 'access-log']],
    ['db', ['node', 'container', 'postgresql', 'prometheus', 'alertmanager']],
  ])
  const targets = components.find(({ name }) => name === 'monitoring')?.settings.targets as {
    job: string
    component: string
  }[]
  expect(targets.map(({ job, component: owner }) => `${owner} ${job}`).sort()).toEqual([
    'db container',
    'db node',
    'db postgresql',
    'loadBalancer access-log',
    'loadBalancer load-balancer',
    'monitoring alertmanager',
    'monitoring prometheus',
    'web container',
    'web node',
  ])
})
