import { describe, expect, test } from 'vitest'
import { KitbagError } from '../../../../src/model/errors.ts'
import type { Overrides } from '../../../../src/toolkit/dns/record-set.ts'
import { dnsSchema } from '../../../../src/toolkit/dns/schema.ts'
import { dns } from '../../../../src/toolkit/dns/service.ts'
import { byApi } from './zones.ts'

const spec = dnsSchema.parse({
  zone: 'shop.example',
  records: [
    { name: 'www', type: 'A', value: '192.0.2.1' },
    { name: 'alias', type: 'CNAME', value: 'www' },
  ],
})
const made = {
  'made.example': { ttl: 60_000, dnssec: false, secondaries: [] },
  ...byApi({
    'made.example www A': { value: '192.0.2.7' },
    'shop.example api A': { value: '192.0.2.8' },
    'shop.example _acme-challenge TXT': { value: 'x', owner: 'system' },
  }),
} as unknown as Overrides

/** What is stored, or `code: message`. */
function change(id: string, params: Record<string, string>, body: object = {}, overrides: Overrides = made) {
  const route = dns.routes.find((candidate) => candidate.id === id)
  try {
    return route?.change?.({ spec, params, body: body as never, overrides, components: [] })
  } catch (error) {
    if (!(error instanceof KitbagError)) throw error
    return `${error.code}: ${error.message}`
  }
}

const set = (name: string, type: string, body: object, zone = 'shop.example') =>
  change('records.set', { zone, name, type }, body)

describe('a record set', () => {
  test('is stored under its zone, name and type, whichever way they are written', () => {
    const stored = { 'shop.example new A': { value: '192.0.2.3', ttl: 30_000, owner: 'api' } }
    const body = { value: '192.0.2.3', ttl: '30s' }
    expect(set('new', 'a', body)).toEqual(stored)
    expect(set('NEW.shop.example.', 'A', body, 'Shop.Example.')).toEqual(stored)
    expect(set('@', 'MX', { value: '10 mail' })).toEqual({ 'shop.example @ MX': { value: '10 mail', owner: 'api' } })
    expect(set('www', 'A', { value: ['192.0.2.3'] }, 'made.example')).toMatchObject({ 'made.example www A': {} })
  })

  test.each([
    [
      'in no zone',
      'x',
      'A',
      'other.example',
      { value: '192.0.2.1' },
      'not-found: there is no zone other.example; there are: shop.example, made.example',
    ],
    [
      'outside',
      'x.other.',
      'A',
      'shop.example',
      { value: '192.0.2.1' },
      'invalid-request: x.other. is no name in the zone shop.example',
    ],
    [
      'no name',
      'a b',
      'A',
      'shop.example',
      { value: '192.0.2.1' },
      'invalid-request: a b is no name in the zone shop.example',
    ],
    [
      'an unknown type',
      'x',
      'LUA',
      'shop.example',
      { value: 'A "x"' },
      expect.stringContaining('invalid-request: there is no record type LUA; there are: A, AAAA'),
    ],
    [
      'a bad content',
      'x',
      'A',
      'shop.example',
      { value: 'x' },
      'invalid-request: x.shop.example A: must be an IPv4 address, found x',
    ],
    [
      'a bad content of an answer',
      'x',
      'A',
      'shop.example',
      { routing: 'weighted', answers: [{ value: 'x', weight: 1 }] },
      'invalid-request: x.shop.example A: must be an IPv4 address, found x',
    ],
    [
      'a reference',
      'x',
      'A',
      'shop.example',
      { value: { $ref: 'web.addresses' } },
      'invalid-request: x.shop.example A: a value is a text',
    ],
    [
      'a TTL below 0',
      'x',
      'A',
      'shop.example',
      { value: '192.0.2.1', ttl: '-1s' },
      'invalid-request: ttl: must be a duration such as 500ms, 2s or 1m',
    ],
    ['nothing', 'x', 'A', 'shop.example', {}, 'invalid-request: x.shop.example A: needs either `value` or `answers`'],
    [
      'two CNAMEs',
      'x',
      'CNAME',
      'shop.example',
      { value: ['a', 'b'] },
      'invalid-request: x.shop.example CNAME: a name has one CNAME record, found 2',
    ],
    [
      '70,000 bytes',
      'x',
      'TXT',
      'shop.example',
      { value: ['x'.repeat(35_000), 'y'.repeat(35_000)] },
      expect.stringContaining('65000 are allowed'),
    ],
    [
      'the blueprint’s',
      'www',
      'A',
      'shop.example',
      { value: '192.0.2.1' },
      'conflict: www.shop.example A belongs to the blueprint',
    ],
    [
      'the system’s',
      '_acme-challenge',
      'TXT',
      'shop.example',
      { value: 'y' },
      'conflict: _acme-challenge.shop.example TXT belongs to the system',
    ],
    [
      'beside a CNAME',
      'alias',
      'A',
      'shop.example',
      { value: '192.0.2.1' },
      'conflict: alias.shop.example would have a CNAME and other records (RFC 1034, 3.6.2)',
    ],
    [
      'nearest',
      'x',
      'A',
      'shop.example',
      { routing: 'nearest', answers: [{ value: '192.0.2.1' }] },
      'invalid-request: x.shop.example A answers: one has to say its `countries` or `continents`',
    ],
  ])('refused: %s', (_, name, type, zone, body, expected) => {
    expect(set(name, type, body, zone)).toEqual(expected)
  })

  test('only what was made at run time is removed', () => {
    const remove = (name: string) => change('records.remove', { zone: 'shop.example', name, type: 'A' })
    expect(remove('api')).toEqual({ 'shop.example api A': null })
    expect(remove('www')).toBe('conflict: www.shop.example A belongs to the blueprint')
    expect(remove('gone')).toBe('not-found: there is no record set gone.shop.example A')
  })
})

describe('a zone', () => {
  test('is made, and removed with all that is in it', () => {
    expect(change('zones.set', { zone: 'New.Example' }, { ttl: '60s', dnssec: true, secondaries: [] })).toEqual({
      'new.example': { zone: 'new.example', ttl: 60_000, dnssec: true, secondaries: [] },
    })
    expect(change('zones.remove', { zone: 'made.example' })).toEqual({
      'made.example': null,
      'made.example www A': null,
    })
  })

  test.each([
    ['zones.set', 'shop.example', 'conflict: shop.example belongs to the blueprint'],
    ['zones.remove', 'shop.example', 'conflict: shop.example belongs to the blueprint'],
    ['zones.set', 'a b', 'invalid-request: a b is no domain name such as shop.example'],
    ['zones.set', '*.example', 'invalid-request: *.example is no domain name such as shop.example'],
    ['zones.set', 'x/../y', 'invalid-request: x/../y is no domain name such as shop.example'],
    [
      'zones.remove',
      'other.example',
      'not-found: there is no zone other.example; there are: shop.example, made.example',
    ],
  ])('refused: %s %s', (id, zone, expected) => {
    expect(change(id, { zone }, { ttl: '60s', dnssec: false, secondaries: [] })).toBe(expected)
  })
})

describe('an import', () => {
  const take = (text: string) => change('zone.import', { zone: 'shop.example' }, { text })

  test('takes over sets; the blueprint’s and the system’s stay, and name servers have no other addresses', () => {
    const text =
      'www A 192.0.2.66\nnew 30 A 192.0.2.3\nns1 A 192.0.2.53\n_acme-challenge TXT y\n@ NS ns9\nns3 A 192.0.2.4'
    expect(take(text)).toEqual({
      'shop.example new A': { value: ['192.0.2.3'], ttl: 30_000, owner: 'api' },
      'shop.example ns3 A': { value: ['192.0.2.4'], ttl: 3_600_000, owner: 'api' },
    })
  })

  test.each([
    [
      'a CNAME where the blueprint has an address',
      'www CNAME x',
      'conflict: www.shop.example would have a CNAME and other records (RFC 1034, 3.6.2)',
    ],
    [
      'a CNAME where the API has an address',
      'api CNAME x',
      'conflict: api.shop.example would have a CNAME and other records (RFC 1034, 3.6.2)',
    ],
    [
      'a line that cannot be read',
      'a A x',
      'invalid-request: the zone file has 1 problems, the first in line 1: a.shop.example A: must be an IPv4 address, found x',
    ],
  ])('refused: %s', (_, text, expected) => {
    expect(take(text)).toBe(expected)
  })
})

describe('a country database', () => {
  const archive = 'a'.repeat(64)
  test('is stored by its archive, is no zone, and can be forgotten', () => {
    const stored = change('countries.set', {}, { archive }) as Overrides
    expect(stored).toEqual({ 'countries archive': { archive } })
    expect(change('zones.remove', { zone: 'countries' }, {}, stored)).toContain('not-found: there is no zone countries')
    expect(change('countries.remove', {}, {}, stored)).toEqual({ 'countries archive': null })
    expect(change('countries.remove', {})).toBe('not-found: no country database was uploaded')
  })
})
