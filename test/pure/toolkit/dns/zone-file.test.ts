import { describe, expect, test } from 'vitest'
import { sha256 } from '../../../../src/lib/digest.ts'
import type { PrepareInput } from '../../../../src/toolkit/contract.ts'
import { emptyMmdb } from '../../../../src/toolkit/dns/countries/mmdb.ts'
import { prepare } from '../../../../src/toolkit/dns/prepare.ts'
import type { Overrides } from '../../../../src/toolkit/dns/record-set.ts'
import { zoneContents } from '../../../../src/toolkit/dns/rendered-zone.ts'
import { dnsSchema, zonesOf } from '../../../../src/toolkit/dns/schema.ts'
import { powerdnsRecords, type Zone, zoneStart, zoneText } from '../../../../src/toolkit/dns/zone-file.ts'
import { byApi, zoneOf } from './zones.ts'

const nameservers = [['10.0.0.1', 'fd00::1'], ['10.0.0.2']]

const servedText = (zone: Zone, serial: number) => zoneStart(zone)(serial) + powerdnsRecords(zone)

function textOf(section: object, overrides: Overrides = {}, write = servedText): string[] {
  const known = zoneOf(section, overrides)
  const zone = { zone: known.spec.zone, ttl: known.spec.ttl / 1000, sets: zoneContents(known), nameservers }
  return write(zone, 7).trimEnd().split('\n')
}

const head = [
  '$ORIGIN shop.example.',
  '@ 60 IN SOA ns1.shop.example. hostmaster.shop.example. 7 86400 7200 3600000 60',
  '@ 60 IN NS ns1.shop.example.',
  '@ 60 IN NS ns2.shop.example.',
]
const glue = ['ns1 60 IN A 10.0.0.1', 'ns1 60 IN AAAA fd00::1', 'ns2 60 IN A 10.0.0.2']

test('a zone file: SOA, name servers with their addresses, sets from the top down', () => {
  const records = [
    { name: 'www', type: 'A', value: ['192.0.2.2', '192.0.2.1'], ttl: '5m' },
    { name: '@', type: 'MX', value: '10 mail' },
    { name: '*', type: 'CNAME', value: 'www' },
    { name: 'a.b', type: 'TXT', value: 'x\ny' },
  ]
  expect(textOf({ zone: 'shop.example', records })).toEqual([
    ...head,
    ...glue,
    '@ 60 IN MX 10 mail.shop.example.',
    '* 60 IN CNAME www.shop.example.',
    'a.b 60 IN TXT "x\\010y"',
    'www 300 IN A 192.0.2.1',
    'www 300 IN A 192.0.2.2',
  ])
})

test('who gives a name server another address is heard', () => {
  const records = [{ name: 'ns1', type: 'A', value: '203.0.113.1' }]
  expect(textOf({ zone: 'shop.example', records })).toEqual([...head, ...glue.slice(1), 'ns1 60 IN A 203.0.113.1'])
})

test('sets that choose are Lua for PowerDNS, and plain records in the file that is exported', () => {
  const records = [
    {
      name: 'www',
      type: 'A',
      routing: 'weighted',
      answers: [
        { value: '192.0.2.1', weight: 2 },
        { value: '192.0.2.2', weight: 1 },
      ],
    },
  ]
  expect(textOf({ zone: 'shop.example', records }).at(-1)).toBe(
    `www 60 IN LUA A "pickwrandom({{2,'192.0.2.1'},{1,'192.0.2.2'}})"`,
  )
  expect(textOf({ zone: 'shop.example', records }, {}, zoneText).slice(-2)).toEqual([
    'www 60 IN A 192.0.2.1',
    'www 60 IN A 192.0.2.2',
  ])
})

describe('what was made at run time', () => {
  const section = { zone: 'shop.example', records: [{ name: 'www', type: 'A', value: '192.0.2.1' }] }
  const sets = (overrides: Overrides) => textOf(section, overrides).slice(head.length + glue.length)

  test('stands beside the blueprint’s, and before it where both are', () => {
    expect(sets(byApi({ 'shop.example api A': { value: ['192.0.2.7'], ttl: 30_000 } }))).toEqual([
      'api 30 IN A 192.0.2.7',
      'www 60 IN A 192.0.2.1',
    ])
    expect(sets(byApi({ 'shop.example www A': { value: '192.0.2.7' } }))).toEqual(['www 60 IN A 192.0.2.7'])
    expect(sets(byApi({ 'shop.example www CNAME': { value: 'api' } }))).toEqual(['www 60 IN CNAME api.shop.example.'])
  })

  test('a zone, and what is in it; other zones’ sets are not', () => {
    const overrides = {
      ...byApi({ 'other.example www A': { value: '192.0.2.8' }, 'gone.example www A': { value: '192.0.2.9' } }),
      'other.example': { ttl: 60_000, dnssec: false, secondaries: [] },
    }
    expect(sets(overrides)).toEqual(['www 60 IN A 192.0.2.1'])
  })

  test('a name that looks like the zone’s own keeps its place', () => {
    expect(sets(byApi({ 'shop.example shop.example A': { value: '192.0.2.7' } }))[0]).toBe(
      'shop.example 60 IN A 192.0.2.7',
    )
  })
})

test('a reference to what has no machines now gives no records; one that does not fit is refused by name', () => {
  const known = zoneOf({ zone: 'shop.example', records: [{ name: 'www', type: 'A', value: '192.0.2.1' }] })
  const withValue = (value: unknown) => {
    const records = known.spec.records.map((record) => ({ ...record, value: value as string }))
    return zoneContents({ ...known, spec: { ...known.spec, records } })
  }
  expect(withValue([])).toEqual([])
  expect(withValue([['192.0.2.1', '192.0.2.2']])).toMatchObject([{ contents: ['192.0.2.1', '192.0.2.2'] }])
  expect(withValue([['fd00::1', '192.0.2.1']])).toMatchObject([{ contents: ['192.0.2.1'] }])
  expect(() => withValue(['a-name'])).toThrow('www.shop.example A: must be an IPv4 address, found a-name')
  expect(() => withValue([null])).toThrow('www.shop.example A: a value is a text')
})

describe('prepare', () => {
  const made = async (_key: string, make: () => Promise<Record<string, Buffer>>) =>
    sha256((await make())['countries.mmdb'] ?? Buffer.alloc(0))
  const archives = { archives: async () => ({}), archive: made }

  function input(section: object, overrides: Overrides = {}) {
    const asked: [string, string, number][] = []
    const revision: PrepareInput['revision'] = async (key, digest, least) => {
      asked.push([key, digest, least])
      return 42
    }
    const peers = [
      { name: 'dns-1', address: '10.0.0.1', addresses: ['10.0.0.1', 'fd00::1'] },
      { name: 'dns-2', address: '10.0.0.2' },
    ]
    const parameters = { zones: zonesOf(dnsSchema.parse(section)), overrides, seed: 's'.repeat(40) }
    return { asked, made: prepare({ ...archives, parameters, peers, address: '192.0.2.1', revision }) }
  }

  test('each zone has a serial under a key of its own, by what it holds', async () => {
    const section = { zone: 'shop.example', zones: [{ zone: 'other.example' }] }
    const first = input(section)
    const files = (await first.made).parameters.files as { zone: string; text: string }[]
    expect(files.map(({ zone }) => zone)).toEqual(['shop.example', 'other.example'])
    expect(files[0]?.text).toContain(' 42 86400 ')
    expect(first.asked.map(([key]) => key)).toEqual(['serial shop.example', 'serial other.example'])
    const changed = input(section, byApi({ 'other.example www A': { value: '192.0.2.1' } }))
    await changed.made
    expect(changed.asked[0]?.[1]).toBe(first.asked[0]?.[1])
    expect(changed.asked[1]?.[1]).not.toBe(first.asked[1]?.[1])
    expect(first.asked[0]?.[2]).toBeGreaterThan(1_700_000_000)
  })

  test('the country database goes out only where a record needs it; else one that knows no address', async () => {
    const records = [
      { name: 'a', type: 'A', routing: 'nearest', answers: [{ value: '192.0.2.1', continents: ['EU'] }] },
    ]
    const none = sha256(emptyMmdb())
    expect((await input({ zone: 'a.example', records }).made).parameters.countries).not.toBe(none)
    expect((await input({ zone: 'a.example' }).made).parameters.countries).toBe(none)
  })

  test('a signed zone’s key is a secret; others have none', async () => {
    const { parameters, secrets } = await input({ zone: 'a.example', dnssec: true, zones: [{ zone: 'b.example' }] })
      .made
    const [signed, plain] = parameters.files as { key: string | null }[]
    expect(secrets).toEqual([signed?.key])
    expect(signed?.key).toMatch(/^[A-Za-z0-9+/]{43}=$/)
    expect(plain?.key).toBeNull()
  })

  test('a transfer key’s secret is one; what tells it from another says nothing of it', async () => {
    const section = { zone: 'a.example', transferKey: { name: 'k.example', secret: { $ref: 'secrets.KEY' } } }
    const [spec] = zonesOf(dnsSchema.parse(section))
    const made = (secret: unknown) => {
      const zones = [{ ...spec, transferKey: { name: 'k.example', secret } }]
      const parameters = { zones, overrides: {}, seed: 's'.repeat(40) }
      return prepare({ ...archives, parameters, peers: [], address: '192.0.2.1', revision: async () => 1 })
    }
    const marks = new Set<string>()
    for (const secret of ['a', 'b'].map((letter) => Buffer.alloc(32, letter).toString('base64'))) {
      const { parameters, secrets } = await made(secret)
      const [{ transfer } = {}] = parameters.files as { transfer?: { secret: string; mark: string } }[]
      expect([secrets, transfer?.secret]).toEqual([[secret], secret])
      marks.add(transfer?.mark ?? '')
      expect(transfer?.mark).toMatch(/^[0-9a-f]{16}$/)
    }
    expect(marks.size).toBe(2)
    for (const wrong of ['short', 'no base64 at all, "; rm', 'YQ==', null])
      await expect(made(wrong)).rejects.toThrow('a.example: the secret of the transfer key k.example is no base64')
  })

  test('100,000 records in a zone', { timeout: 120_000 }, async () => {
    const overrides = byApi(
      Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`big.example h${i} A`, { value: ['192.0.2.1'] }])),
    )
    const { parameters } = await input({ zone: 'big.example' }, overrides).made
    expect((parameters.files as { text: string }[])[0]?.text.split('\n')).toHaveLength(100_008)
  })
})
