import { describe, expect, test } from 'vitest'
import { type Address, type MachineRecord, machineName, outsideAddresses } from '../../../src/model/machine.ts'
import { configureDigest } from '../../../src/planner/digests.ts'
import { expand } from '../../../src/planner/expand.ts'
import { createFacts } from '../../../src/planner/facts.ts'
import { machinesToCreate } from '../../../src/planner/plan.ts'
import { shippedRecipes } from '../../../src/recipes/shipped.ts'
import { toolkit } from '../../../src/toolkit/registry.ts'
import { guestbookText, releaseOf } from '../../support/guestbook.ts'
import { machineRow } from './world.ts'

const recipes = await shippedRecipes()
const text = `${guestbookText.trimEnd()}
  dns:
    zone: guestbook.example
    records:
      - { name: www, type: A, value: "\${loadBalancer.addresses}" }
      - { name: www, type: AAAA, value: "\${loadBalancer.addresses}" }
`
const release = releaseOf(text, recipes)
const saying = (name: string, staticAddress: boolean) =>
  text.replace(new RegExp(`(  ${name}:[^]*?machine: \\{)`), `$1 staticAddress: ${staticAddress},`)
const { components } = expand(release, toolkit, {})

const inside = (last: number): Address => ({ address: `10.0.0.${last}`, family: 4, scope: 'private', network: 'n' })
const lent = (last: number): Address => ({
  address: `198.51.100.${last}`,
  family: 4,
  scope: 'public',
  network: 'internet',
})
const fixed = (last: number): Address => ({ ...lent(last), address: `203.0.113.${last}`, static: true })
const six = (last: number): Address => ({
  address: `2001:db8::${last}`,
  family: 6,
  scope: 'public',
  network: 'internet',
})

function machine(component: string, ordinal: number, addresses: Address[], more: Partial<MachineRecord> = {}) {
  const requirements = components.find(({ name }) => name === component)?.machine ?? { cpu: 1, memory: 1, image: '' }
  const spec = { size: 's', image: 'i', requirements }
  return machineRow(machineName(component, ordinal), { component, addresses, spec, ...more })
}
const named = (row: MachineRecord, staticAddress: string): MachineRecord => ({
  ...row,
  spec: { ...row.spec, staticAddress },
})

describe('where the world finds machines', () => {
  const old = named(machine('loadBalancer', 1, [inside(1), fixed(1)]), 'load-balancer-1')
  const heir = named(machine('loadBalancer', 2, [inside(2), lent(2)]), 'load-balancer-1')
  test.each<[string, MachineRecord[], MachineRecord[], string[]]>([
    ['at a private address, where there is no other', [machine('web', 1, [inside(1)])], [], ['10.0.0.1']],
    [
      'at the public ones of both families',
      [machine('web', 1, [six(1), inside(1), lent(1)])],
      [],
      ['198.51.100.1', '2001:db8::1'],
    ],
    ['at the static one while it moves: both', [old, heir], [], ['203.0.113.1']],
    ['at the static one while it moves: the new one alone', [heir], [old, heir], ['203.0.113.1']],
    ['at its own where nobody has the static one yet', [heir], [], ['198.51.100.2']],
  ])('%s', (_, machines, all, wanted) => {
    expect(outsideAddresses(machines, all.length > 0 ? all : machines)).toEqual(wanted)
  })
})

describe('names of static addresses', () => {
  const input = (machines: MachineRecord[], spec = release) => ({
    deployment: 'guestbook',
    kind: 'deploy' as const,
    release: { number: 1, spec },
    machines,
    migrated: {},
    overrides: {},
    clouds: {},
    cloudId: 'cld_1',
    toolkit,
    allowDataLoss: [],
  })
  const created = (machines: MachineRecord[], spec = release) =>
    machinesToCreate(input(machines, spec)).map(({ component, ordinal, staticAddress }) => [
      machineName(component.name, ordinal),
      staticAddress,
    ])

  test('load balancers and name servers have one; others where the blueprint says so', () => {
    expect(Object.fromEntries(created([]))).toMatchObject({
      'web-1': undefined,
      'load-balancer-1': 'load-balancer-1',
      'dns-1': 'dns-1',
      'dns-2': 'dns-2',
    })
    const asked = releaseOf(saying('web', true), recipes)
    expect(Object.fromEntries(created([], asked))['web-1']).toBe('web-1')
  })

  test('the machine that replaces another one takes its name over; one more gets a free one', () => {
    const lost = named(machine('dns', 1, [inside(1), fixed(1)], { status: 'lost' }), 'dns-2')
    expect(created([lost]).filter(([name]) => name?.startsWith('dns'))).toEqual([
      ['dns-2', 'dns-2'],
      ['dns-3', 'dns-1'],
    ])
  })

  test('a machine that was made without is not replaced for what is usual, but for what the blueprint asks for', () => {
    const rows = [machine('loadBalancer', 1, [inside(1)])]
    const balancers = (spec = release) => created(rows, spec).filter(([name]) => name?.startsWith('load'))
    expect(balancers()).toEqual([])
    const without = releaseOf(saying('loadBalancer', false), recipes)
    expect(balancers(without)).toEqual([['load-balancer-2', undefined]])
  })
})

describe('name servers tell the world, others ask for themselves', () => {
  const rows = [
    named(machine('loadBalancer', 1, [inside(1), fixed(1), six(1)]), 'load-balancer-1'),
    machine('web', 1, [inside(2), lent(2)]),
    named(machine('dns', 1, [inside(3), fixed(3), six(3)]), 'dns-1'),
    machine('db', 1, [inside(4), lent(4)], { stateful: true }),
  ]
  const world = (machines: MachineRecord[]) => ({ release, components, machines, overrides: {}, present: machines })
  const facts = (machines: MachineRecord[]) => {
    const secrets = new Map([
      ['db.password', 'generated-password'],
      ['dns.seed', 'c2VlZHNlZWRzZWVkc2VlZHNlZWRzZWVkc2VlZHNlZWQ='],
    ])
    return createFacts({
      installation: 'i',
      deployment: 'd',
      releaseNumber: 1,
      world: world(machines),
      recipes,
      secrets,
    })
  }
  const own = (name: string) => rows.find((row) => row.component === name) as MachineRecord

  test('records and name servers hold public addresses, links private ones', () => {
    const { context } = facts(rows).context(own('dns'))
    const { zones } = context.parameters as { zones: { records: { value: unknown }[] }[] }
    expect(zones[0]?.records[0]?.value).toEqual(['203.0.113.1', '2001:db8::1'])
    expect(context.peers).toEqual([
      { name: 'dns-1', address: '203.0.113.3', addresses: ['203.0.113.3', '2001:db8::3'], port: 53 },
    ])
    const web = facts(rows).context(own('web')).context
    expect(JSON.stringify(web.env)).toContain('10.0.0.4')
    expect(facts(rows).outputs('loadBalancer')).toMatchObject({
      url: 'http://203.0.113.1',
      addresses: ['203.0.113.1', '2001:db8::1'],
    })
    expect(facts(rows).outputs('db').host).toBe('10.0.0.4')
  })

  test('files of a name server are the same as long as its machines have the same address in it, and others when not', () => {
    const dns = components.find(({ name }) => name === 'dns')
    if (!dns) throw new Error('no dns')
    const digest = (machines: MachineRecord[]) => configureDigest(world(machines), dns, own('dns'))
    const other = rows.map((row) =>
      row.component === 'loadBalancer' ? { ...row, addresses: [inside(1), fixed(9)] } : row,
    )
    expect(digest(rows)).toBe(digest(structuredClone(rows)))
    expect(digest(other)).not.toBe(digest(rows))
    const own6 = rows.map((row) =>
      row.component === 'dns' ? { ...row, addresses: [inside(3), fixed(3), six(4)] } : row,
    )
    expect(digest(own6)).not.toBe(digest(rows))
  })
})
