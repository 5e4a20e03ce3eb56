import { describe, expect, test } from 'vitest'
import type { MachineRecord } from '../../../src/model/machine.ts'
import type { ReleaseSpec } from '../../../src/model/release.ts'
import { configureDigest } from '../../../src/planner/digests.ts'
import { expand } from '../../../src/planner/expand.ts'
import { createFacts } from '../../../src/planner/facts.ts'
import { certificateHosts, certificateWords } from '../../../src/planner/tls.ts'
import { shippedRecipes } from '../../../src/recipes/shipped.ts'
import { toolkit } from '../../../src/toolkit/registry.ts'
import { guestbookText, releaseOf } from '../../support/guestbook.ts'
import { deployed } from './execution.ts'
import { inputFor, machineRow, nothing, planOf, shop } from './world.ts'

const recipes = await shippedRecipes()

/** The shop of the planner's tests, whose database speaks TLS. */
function secure(web: Parameters<typeof shop>[0] = {}): ReleaseSpec {
  const spec = shop(web, { services: [] })
  const { nodejs, postgresql } = spec.recipes as Required<ReleaseSpec['recipes']>
  if (!nodejs || !postgresql) throw new Error('the shop has other recipes')
  const authority = { ...nodejs, name: 'authority', digest: 'authority-1', kind: 'service' as const }
  return { ...spec, recipes: { ...spec.recipes, postgresql: { ...postgresql, tls: true }, authority } }
}

const guestbook = releaseOf(guestbookText, recipes)

function machine(name: string, cloudId: string, addresses: [string, 'public' | 'private'][]): MachineRecord {
  return machineRow(name, {
    cloudId,
    status: 'created',
    addresses: addresses.map(([address, scope]) => ({ address, family: 4, scope, network: 'n' })),
    releaseNumber: null,
  })
}

function factsOf(machines: MachineRecord[], from?: string) {
  const { components } = expand(guestbook, toolkit, {})
  return createFacts({
    installation: 'i',
    deployment: 'd',
    releaseNumber: 1,
    world: { release: guestbook, components, machines, overrides: {} },
    recipes,
    secrets: new Map([['db.password', 'generated']]),
    authority: 'PEM of the authority',
    ...(from && { from }),
    credentials: { 'mac_db-1': { certificate: 'PEM of the certificate', key: 'a line of the key that is long' } },
  })
}

describe('who uses a component that speaks TLS', () => {
  test('is led there by a URL that has it verify the server, and knows the authority before it is configured', () => {
    const db = machine('db-1', 'cld_1', [['10.0.0.5', 'private']])
    const web = machine('web-1', 'cld_1', [['10.0.0.3', 'private']])
    const facts = factsOf([db, web])
    expect(facts.context(web).context.env.DATABASE_URL).toBe(
      'postgres://guestbook:generated@10.0.0.5:5432/guestbook?sslmode=verify-full&sslrootcert=/etc/kitbag/authority.pem',
    )
    const [known] = facts.extras(web, { later: false })
    expect([known?.extra.name, known?.context.authority]).toEqual(['authority', 'PEM of the authority'])
    expect(facts.extras(db)).toMatchObject([{ extra: { name: 'firewall' } }])
  })

  test('comes from elsewhere when it is at another cloud, or has a public address only', () => {
    const db = machine('db-1', 'cld_1', [['10.0.0.5', 'private']])
    const elsewhere = (web: MachineRecord) =>
      factsOf([db, web])
        .context(db)
        .context.consumers.flatMap(({ machines }) => machines.map((one) => one.elsewhere))
    expect(elsewhere(machine('web-1', 'cld_1', [['10.0.0.3', 'private']]))).toEqual([false])
    expect(elsewhere(machine('web-1', 'cld_2', [['10.0.0.3', 'private']]))).toEqual([true])
    expect(elsewhere(machine('web-1', 'cld_1', [['198.51.100.3', 'public']]))).toEqual([true])
  })

  test('finds it by its private address at the same cloud, and by its public one from another', () => {
    const db = machine('db-1', 'cld_1', [
      ['10.0.0.5', 'private'],
      ['198.51.100.5', 'public'],
    ])
    const hostFrom = (cloud: string) => {
      const web = machine('web-1', cloud, [
        ['10.9.0.3', 'private'],
        ['198.51.100.3', 'public'],
      ])
      const { context } = factsOf([db, web], cloud).context(web)
      const [consumer] = factsOf([db, web], 'cld_1').context(db).context.consumers
      // Its own address is what it listens at, wherever others are.
      expect([context.machine.address, factsOf([db, web], 'cld_1').context(db).context.machine.address]).toEqual([
        '10.9.0.3',
        '10.0.0.5',
      ])
      return [new URL(context.env.DATABASE_URL ?? '').hostname, consumer?.machines[0]?.address]
    }
    expect(hostFrom('cld_1')).toEqual(['10.0.0.5', '10.9.0.3'])
    expect(hostFrom('cld_2')).toEqual(['198.51.100.5', '198.51.100.3'])
  })

  test('is changed when the address changes that it comes to', () => {
    const { components } = expand(guestbook, toolkit, {})
    const of = components.find(({ name }) => name === 'web')
    if (!of) throw new Error('the guestbook has no web')
    const digest = (cloud: string, open: string) => {
      const db = machine('db-1', 'cld_1', [
        ['10.0.0.5', 'private'],
        [open, 'public'],
      ])
      const web = machine('web-1', cloud, [['10.9.0.3', 'private']])
      return configureDigest({ release: guestbook, components, machines: [db, web], overrides: {} }, of, web)
    }
    expect(digest('cld_1', '198.51.100.5')).toBe(digest('cld_1', '198.51.100.6'))
    expect(digest('cld_2', '198.51.100.5')).not.toBe(digest('cld_2', '198.51.100.6'))
  })

  test('may be at another cloud', () => {
    const plan = planOf(inputFor(secure({ placement: { cloud: 'other' } }), nothing()))
    expect(plan.units.some(({ id }) => id === 'db-1/configure')).toBe(true)
  })
})

test('the server has its certificate and key, which nothing may show', () => {
  const db = machine('db-1', 'cld_1', [['10.0.0.5', 'private']])
  const { context, secrets } = factsOf([db]).context(db)
  expect(context.tls).toEqual({ certificate: 'PEM of the certificate', key: 'a line of the key that is long' })
  expect(secrets).toContain('a line of the key that is long')
  const web = machine('web-1', 'cld_1', [['10.0.0.3', 'private']])
  expect(factsOf([db, web]).context(web).context.tls).toBeUndefined()
})

test('a certificate is for every address of its machine, for its name, and for what old clients ask instead', () => {
  const addresses: [string, 'public' | 'private'][] = [
    ['198.51.100.5', 'public'],
    ['10.0.0.5', 'private'],
  ]
  expect(certificateHosts(machine('db-1', 'cld_1', addresses))).toEqual([
    '10.0.0.5',
    '198.51.100.5',
    'db-1',
    'localhost',
  ])
})

describe('a certificate that is due', () => {
  const now = new Date('2026-03-01T00:00:00Z')
  const db = machine('db-1', 'cld_1', [['10.0.0.5', 'private']])
  const words = (renewAt: string, version = 1, hosts = certificateHosts(db)) =>
    certificateWords([{ machineId: db.id, version, certificate: '', hosts, renewAt: new Date(renewAt) }], [db], now)

  test('is another word than one that is in force', () => {
    expect(words('2026-03-02')).toEqual({ 'mac_db-1': '1' })
    expect(words('2026-02-28')).toEqual({ 'mac_db-1': 'due' })
    expect(words('2026-03-02', 2)).toEqual({ 'mac_db-1': '2' })
    // Its machine has got another address since.
    expect(words('2026-03-02', 2, ['10.0.0.4', 'db-1', 'localhost'])).toEqual({ 'mac_db-1': 'due' })
  })

  test('changes its machine where it stands, and nothing else', () => {
    const spec = secure()
    const { components } = expand(spec, toolkit, {})
    const state = deployed(spec)
    const db = state.machines.find(({ component }) => component === 'db')
    const of = components.find(({ name }) => name === 'db')
    if (!db || !of) throw new Error('there is no database')
    const world = { release: spec, components, machines: state.machines, overrides: {}, certificates: { [db.id]: '1' } }
    db.configureDigest = configureDigest(world, of, db)
    const units = (word: string) =>
      planOf(inputFor(spec, state, { certificates: { [db.id]: word } })).units.map(({ id }) => id)
    expect(units('1')).toEqual([])
    expect(units('due')).toEqual(['db-1/configure', 'db-1/ready'])
  })
})
