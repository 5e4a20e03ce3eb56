import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseBlueprint } from '../../../src/blueprints/parse.ts'
import type { ResolvedComponent } from '../../../src/model/blueprint.ts'
import { KitbagError } from '../../../src/model/errors.ts'
import type { MachineRecord } from '../../../src/model/machine.ts'
import type { ReleaseSpec } from '../../../src/model/release.ts'
import { admissionsOf, portsOf } from '../../../src/planner/admissions.ts'
import { cloudFirewalls } from '../../../src/planner/cloud-firewall.ts'
import { expand } from '../../../src/planner/expand.ts'
import { firewallDigest, firewallParameters } from '../../../src/planner/firewall.ts'
import { refusePublicLinks } from '../../../src/planner/plain-links.ts'
import { shippedRecipes } from '../../../src/recipes/shipped.ts'
import { toolkit } from '../../../src/toolkit/registry.ts'
import { deployed, ordered } from './execution.ts'
import { component, inputFor, machineRow, nothing, planOf, release, shop } from './world.ts'

const recipes = await shippedRecipes()

/** A release of a blueprint with the recipes that are shipped. */
function releaseOf(text: string): ReleaseSpec {
  const catalog = { get: (name: string) => recipes.get(name)?.signature, names: () => [...recipes.keys()] }
  const blueprint = parseBlueprint(text, { file: 'blueprint.yaml', catalog, toolkit, parameters: {} })
  const signatures = [...recipes].map(([name, { signature }]) => [name, { ...signature, archive: '' }] as const)
  return { blueprint, text, sources: {}, recipes: Object.fromEntries(signatures), secretVersions: {} }
}

const example = (name: string) =>
  readFileSync(new URL(`../../../examples/${name}/blueprint.yaml`, import.meta.url), 'utf8')

/** Component -> `tcp 80 from 0.0.0.0/0 ::/0`. */
function wallsOf(spec: ReleaseSpec): Record<string, string[]> {
  const { components } = expand(spec, toolkit, {})
  return Object.fromEntries(
    components.map((one) => [
      one.name,
      admissionsOf(spec, components, one).map(({ protocol, port, sources }) => {
        const from = sources.map((source) => ('network' in source ? source.network : source.component))
        return `${protocol} ${port ?? '-'} from ${from.join(' ')}`
      }),
    ]),
  )
}

const anyone = 'from 0.0.0.0/0 ::/0'

describe('who may come', () => {
  test('guestbook', () => {
    expect(wallsOf(releaseOf(example('guestbook')))).toEqual({
      web: ['tcp 8080 from loadBalancer'],
      db: ['tcp 5432 from web'],
      loadBalancer: [`tcp 80 ${anyone}`],
    })
  })

  test('what is listened on: what the recipes say too, whoever may come', () => {
    const listening = (text: string) => {
      const spec = releaseOf(text)
      const { components } = expand(spec, toolkit, {})
      const doors = (one: ResolvedComponent) =>
        portsOf(spec, components, one).map(({ protocol, port }) => `${protocol} ${port}`)
      return Object.fromEntries(components.map((one) => [one.name, doors(one)]))
    }
    expect(listening(example('guestbook'))).toEqual({ web: ['tcp 8080'], db: ['tcp 5432'], loadBalancer: ['tcp 80'] })
    expect(listening(example('shop'))).toMatchObject({
      db: expect.arrayContaining(['tcp 5432', 'tcp 9998']),
      dns: ['tcp 53', 'tcp 9998', 'udp 53'],
      loadBalancer: expect.arrayContaining(['tcp 80', 'tcp 443', 'tcp 9998']),
    })
  })

  test('shop, with its whole toolkit', () => {
    const door = 'tcp 9998 from monitoring'
    expect(wallsOf(releaseOf(example('shop')))).toEqual({
      web: ['tcp 8080 from loadBalancer', door],
      db: ['tcp 5432 from web', door],
      dns: [`tcp 53 ${anyone}`, door, `udp 53 ${anyone}`],
      loadBalancer: [`tcp 80 ${anyone}`, `tcp 443 ${anyone}`, door],
      monitoring: ['tcp 9094 from monitoring', door, 'udp 9094 from monitoring'],
    })
  })

  test('load balancers that share an address tell each other who has it', () => {
    expect(wallsOf(releaseOf(example('edge'))).loadBalancer).toContain('vrrp - from loadBalancer')
  })

  test('public: anyone, or some networks beside those who refer to it', () => {
    const text = (value: string) => example('guestbook').replace('port: 8080', `port: 8080\n    public: ${value}`)
    expect(wallsOf(releaseOf(text('true'))).web).toEqual([`tcp 8080 ${anyone}`])
    expect(wallsOf(releaseOf(text('[203.0.113.0/24, "2001:db8::/32"]'))).web).toEqual([
      'tcp 8080 from 2001:db8::/32 203.0.113.0/24 loadBalancer',
    ])
    expect(wallsOf(releaseOf(text('false'))).web).toEqual(['tcp 8080 from loadBalancer'])
    for (const wrong of ['203.0.113.0/24', '[203.0.113.0]', '[203.0.113.0/33]', '["::/129"]', '[]', '[web]'])
      expect(() => releaseOf(text(wrong))).toThrow('components.web.public')
  })

  test('machines that name each other let in each other', () => {
    const peers = component('ring', 'nodejs', { replicas: 3, env: { NODES: { $ref: 'ring.machines' } } })
    expect(wallsOf(release({ components: [peers] }))).toEqual({ ring: ['tcp 8080 from ring'] })
  })
})

const machine = (name: string, addresses: string[], more: Partial<MachineRecord> = {}) =>
  machineRow(name, {
    addresses: addresses.map((address) => ({
      address,
      family: address.includes(':') ? 6 : 4,
      scope: 'private',
      network: 'n',
    })),
    ...more,
  })

describe('a machine’s rules', () => {
  const spec = shop({}, { firewall: true })
  const { components } = expand(spec, toolkit, {})
  const db = components.find(({ name }) => name === 'db')
  const machines = [
    machine('web-1', ['10.0.0.1', 'fd00::1', '198.51.100.1']),
    machine('web-2', ['10.0.0.2'], { status: 'lost' }),
    machine('db-1', ['10.0.0.9']),
  ]
  const world = { release: spec, components, machines, overrides: {} }
  const own = machines[2] as MachineRecord

  test('know every address of those who may come, of both families', () => {
    if (!db) throw new Error('no database')
    expect(firewallParameters(world, db, own)).toEqual({
      ssh: [{ protocol: 'tcp', port: 22 }],
      sets: [
        { name: 'from.web.4', type: 'ipv4_addr', addresses: ['10.0.0.1', '198.51.100.1'] },
        { name: 'from.web.6', type: 'ipv6_addr', addresses: ['fd00::1'] },
      ],
      rules: [
        { protocol: 'tcp', port: 5432, family: 'ip', source: '@from.web.4' },
        { protocol: 'tcp', port: 5432, family: 'ip6', source: '@from.web.6' },
      ],
    })
  })

  test('let SSH in from where the cloud says', () => {
    if (!db) throw new Error('no database')
    const { ssh } = firewallParameters({ ...world, sshFrom: { cld_1: ['203.0.113.0/24'] } }, db, own)
    expect(ssh).toEqual([{ protocol: 'tcp', port: 22, family: 'ip', source: '203.0.113.0/24' }])
  })

  test('are there only where the release asks for them', () => {
    const older = shop()
    const plain = expand(older, toolkit, {}).components
    const one = plain.find(({ name }) => name === 'db')
    expect(one && firewallDigest({ ...world, release: older, components: plain }, one, own)).toBeUndefined()
  })
})

describe('a cloud’s own firewall', () => {
  const everywhere = [{ network: '0.0.0.0/0' }, { network: '::/0' }]
  const ssh = { protocol: 'tcp', from: 22, to: 22, sources: everywhere }
  const world = { toolkit, overrides: {}, clouds: { home: 'cld_1', other: 'cld_2' }, cloudId: 'cld_1', machines: [] }

  test('is told the same by component', () => {
    expect([...cloudFirewalls([releaseOf(example('guestbook'))], world)]).toEqual([
      [
        'cld_1',
        {
          web: [ssh, { protocol: 'tcp', from: 8080, to: 8080, sources: [{ component: 'loadBalancer' }] }],
          db: [ssh, { protocol: 'tcp', from: 5432, to: 5432, sources: [{ component: 'web' }] }],
          loadBalancer: [ssh, { protocol: 'tcp', from: 80, to: 80, sources: everywhere }],
        },
      ],
    ])
  })

  test('knows machines at another cloud by their addresses', () => {
    const spec = shop({ placement: { cloud: 'other' } })
    const machines = [machine('web-1', ['10.9.0.1', '2001:db8::1'], { cloudId: 'cld_2' })]
    const home = cloudFirewalls([spec], { ...world, machines, sshFrom: { cld_1: ['203.0.113.0/24'] } }).get('cld_1')
    expect(home?.db).toEqual([
      { ...ssh, sources: [{ network: '203.0.113.0/24' }] },
      { protocol: 'tcp', from: 5432, to: 5432, sources: [{ network: '10.9.0.1/32' }, { network: '2001:db8::1/128' }] },
    ])
  })
})

describe('links between two clouds', () => {
  test('are refused where they are not encrypted, each with its place', () => {
    const spec = shop({ placement: { cloud: 'other' } })
    let refused: unknown
    try {
      planOf(inputFor(spec, nothing()))
    } catch (error) {
      refused = error
    }
    expect(refused).toBeInstanceOf(KitbagError)
    const { code, problems } = refused as KitbagError
    expect([code, problems.map(({ path, found }) => `${path} ${found}`)]).toEqual([
      'not-supported',
      ['components.web db'],
    ])
    // What one cloud has is nobody else's.
    expect(planOf(inputFor(shop(), nothing())).units.length).toBeGreaterThan(0)
  })

  test('may be https', () => {
    const listeners = `
      - { port: 443, protocol: https, certificates: [web], to: api }`
    const text = `
apiVersion: kitbag/v1
name: two
components:
  api: { source: ./app, runtime: nodejs, start: node server.js, port: 8080 }
  web:
    source: ./app
    runtime: nodejs
    start: node server.js
    port: 8081
    placement: { cloud: other }
    env: { API: "\${loadBalancer.url}" }
toolkit:
  certificates: { certificates: [{ name: web, hosts: [api.example] }] }
  loadBalancer:
    listeners:${listeners}
`
    const spec = releaseOf(text)
    expect(planOf(inputFor(spec, nothing())).units.length).toBeGreaterThan(0)
    const plain = releaseOf(text.replace('443, protocol: https, certificates: [web]', '80'))
    expect(() => planOf(inputFor(plain, nothing()))).toThrow('components.web: web refers to loadBalancer')
  })
})

describe('links over public networks', () => {
  const spec = shop({}, { firewall: true })
  const { components } = expand(spec, toolkit, {})
  const at = (address: string, scope: 'public' | 'private') => ({ address, family: 4 as const, scope, network: 'n' })
  const db = (...addresses: ReturnType<typeof at>[]) => ({
    release: spec,
    components,
    machines: [machine('db-1', [], { addresses })],
  })

  test('are refused', () => {
    expect(() => refusePublicLinks(db(at('198.51.100.9', 'public')), 'web')).toThrow(
      'components.web: web refers to db, whose machine db-1 has a public address only',
    )
  })

  test('are none where there is a private address too, or nobody refers', () => {
    expect(() => refusePublicLinks(db(at('198.51.100.9', 'public'), at('10.0.0.9', 'private')), 'web')).not.toThrow()
    expect(() => refusePublicLinks(db(at('198.51.100.9', 'public')), 'loadBalancer')).not.toThrow()
  })
})

test('a change of who may come is an update with its reason, and touches the firewall alone', () => {
  const before = shop({}, { firewall: true })
  const state = deployed(before)
  const components = before.blueprint.components.map((one) =>
    one.name === 'db' ? { ...one, public: true as const } : one,
  )
  const after = { ...before, blueprint: { ...before.blueprint, components } }
  const { units, changes } = planOf(inputFor(after, state, { current: { number: 1, spec: before } }))
  expect(units.map(({ id, only }) => [id, only])).toEqual([['db-1/configure/firewall', 'firewall']])
  const [change] = changes.filter(({ action }) => action === 'update')
  expect([change?.machine, change?.reasons]).toEqual(['db-1', [{ message: 'who may come to it changed' }]])
})

describe('while a release takes the place of another', () => {
  const before = shop({}, { firewall: true })
  /** The units of a deploy that changes `web`, and their order. */
  function changed(more: Partial<ResolvedComponent>) {
    const components = before.blueprint.components.map((one) => (one.name === 'web' ? { ...one, ...more } : one))
    const after = { ...before, blueprint: { ...before.blueprint, components } }
    const releases = { current: { number: 1, spec: before }, release: { number: 2, spec: after } }
    const order = ordered(planOf(inputFor(after, deployed(before), releases)))
    const at = (id: string) => order.findIndex((unit) => unit.id === id)
    return { order, at, unit: (id: string) => order[at(id)] }
  }

  test('a port that is given up stays open until nobody comes to it any more', () => {
    const { at, unit } = changed({ port: 9090 })
    const also = [{ protocol: 'tcp', port: 8080, sources: [{ component: 'loadBalancer' }] }]
    for (const web of ['web-1', 'web-2']) {
      expect(unit(`${web}/configure/firewall`)).toMatchObject({ only: 'firewall', also })
      expect(unit(`${web}/configure`)).toMatchObject({ also })
      const closed = at(`${web}/configure/firewall-after`)
      expect(unit(`${web}/configure/firewall-after`)).not.toHaveProperty('also')
      for (const last of ['web-1/join/loadBalancer', 'web-2/join/loadBalancer', 'load-balancer-1/ready'])
        expect([last, closed > at(last) && at(last) >= 0]).toEqual([last, true])
    }
  })

  test('who refers to a machine no more is let in until its own files say so', () => {
    const { at, unit } = changed({ env: {} })
    expect(unit('db-1/configure/firewall')).toMatchObject({
      also: [{ protocol: 'tcp', port: 5432, sources: [{ component: 'web' }] }],
    })
    expect(at('db-1/configure/firewall-after')).toBeGreaterThan(at('web-1/join/loadBalancer'))
    expect(at('db-1/configure/firewall-after')).toBeGreaterThan(at('web-2/join/loadBalancer'))
  })
})
