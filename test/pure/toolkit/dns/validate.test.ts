import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { problemsOf } from '../../blueprints/fixture.ts'

const web = 'web: { source: ./app, runtime: nodejs, start: node s.js, port: 80 }'

/** `path: message` of a blueprint whose section is this. */
function problems(section: string): string[] {
  const text = `apiVersion: kitbag/v1\nname: shop\ncomponents: { ${web} }\ntoolkit:\n  dns: ${section}\n`
  return problemsOf(text).map(({ path, message }) => `${path.replace('toolkit.dns', 'dns')}: ${message}`)
}
const record = (text: string) => problems(`{ zone: shop.example, records: [ ${text} ] }`)
const answers = (fields: string, list: string) => record(`{ name: www, type: A, ${fields}, answers: [ ${list} ] }`)

test.each([
  ['{ zone: shop.example }'],
  ['{ zone: internal, nameservers: 1 }'],
  ['{ zones: [ { zone: a.example }, { zone: b.example, dnssec: true, secondaries: [192.0.2.53, "2001:db8::53"] } ] }'],
  [
    '{ zone: 2.0.192.in-addr.arpa, records: [ { name: 10, type: PTR, value: www.shop.example } ] }'.replace(
      '10,',
      '"10",',
    ),
  ],
  ['{ zone: shop.example, records: [ { name: www, type: A, value: "${web.addresses}", health: { tcp: 80 } } ] }'],
  ['{ zone: shop.example, records: [ { name: t, type: TXT, value: 5 } ] }'],
  ['{ zone: shop.example, transferKey: { name: Transfer.example., secret: "${secrets.KEY}" } }'],
  [
    '{ zone: shop.example, records: [ { name: www, type: A, routing: failover, health: { url: "http://www.shop.example/" }, answers: [ { value: "${web.addresses}" }, { value: [192.0.2.1, 192.0.2.2] } ] } ] }',
  ],
  [
    '{ zone: shop.example, records: [ { name: www, type: A, routing: nearest, answers: [ { value: "${web.addresses}", countries: [DE, "NO"], continents: [NA] }, { value: 192.0.2.1 } ] } ] }',
  ],
])('right: %s', (section) => {
  expect(problems(section)).toEqual([])
})

test.each<[string, string[]]>([
  ['{}', ['dns: needs a `zone`, or `zones`']],
  [
    '{ records: [ { type: A, value: 192.0.2.1 } ] }',
    ['dns: needs a `zone`, or `zones`', 'dns.records: belong to a `zone`, which is not given'],
  ],
  ['{ zone: a.example, zones: [ { zone: A.example. } ] }', ['dns.zones[0].zone: a.example is there twice']],
  [
    '{ zone: a.example, zones: [ { zone: "*.example" } ] }',
    ['dns.zones[0].zone: must be a domain name such as shop.example'],
  ],
  [
    '{ zone: shop.example, transferKey: { name: a.example, secret: c2VjcmV0 } }',
    ['dns.transferKey.secret: must be a secret such as ${secrets.TRANSFER_KEY}'],
  ],
  [
    '{ zone: a.example, transferKey: { name: k, secret: "${secrets.A}" }, zones: [ { zone: b.example, transferKey: { name: k, secret: "${secrets.B}" } } ] }',
    ['dns.zones[0].transferKey: the key k has another secret elsewhere'],
  ],
  ['{ zone: shop.example, nameservers: 0 }', [expect.stringContaining('dns.nameservers: ')]],
  ['{ zone: shop.example, secondaries: [ns.other.example] }', ['dns.secondaries[0]: an IP address']],
])('wrong: %s', (section, expected) => {
  expect(problems(section)).toEqual(expected)
})

test.each<[string, string[]]>([
  [
    '{ name: www, type: A, value: 192.0.2.256 }',
    ['dns.records[0].value: A: must be an IPv4 address, found 192.0.2.256'],
  ],
  ['{ name: www, type: A, value: [192.0.2.1, x] }', ['dns.records[0].value[1]: A: must be an IPv4 address, found x']],
  ['{ name: www, type: WKS, value: x }', [expect.stringContaining('dns.records[0].type: ')]],
  [
    '{ name: www.other.example., type: A, value: 192.0.2.1 }',
    ['dns.records[0].name: must be a name in the zone shop.example'],
  ],
  ['{ name: "a\\nb", type: A, value: 192.0.2.1 }', ['dns.records[0].name: must be a name in the zone shop.example']],
  [
    '{ name: www, type: A, value: 192.0.2.1, ttl: -1 }',
    [expect.stringContaining('dns.records[0].ttl: must be a duration')],
  ],
  [
    '{ name: www, type: A, value: 192.0.2.1, ttl: "-1s" }',
    ['dns.records[0].ttl: must be a duration such as 500ms, 2s or 1m'],
  ],
  ['{ name: www, type: A, value: 192.0.2.1, ttl: 8d }', ['dns.records[0].ttl: must be between 0s and 7d']],
  ['{ name: www, type: TXT, value: "\\"\\\\300\\"" }', ['dns.records[0].value: TXT: \\300 is no byte']],
  [
    '{ name: "@", type: CNAME, value: www }',
    ['dns.records[0].type: the zone itself cannot be a CNAME (RFC 1034): use ALIAS'],
  ],
  [
    '{ name: "@", type: NS, value: ns.other.example }',
    ["dns.records[0].type: the zone's own NS records are made by Kitbag"],
  ],
  [
    '{ name: ns1, type: CNAME, value: www }',
    ["dns.records[0].name: is the name of one of the zone's own name servers"],
  ],
  ['{ name: www, type: CNAME, value: [a, b] }', ['dns.records[0]: CNAME: a name has one CNAME record, found 2']],
  [
    '{ name: www, type: CNAME, value: a }, { name: www, type: A, value: 192.0.2.1 }',
    ['dns.records[0]: a name with a CNAME has no other records'],
  ],
  [
    '{ name: www, type: A, value: 192.0.2.1 }, { name: www.shop.example, type: A, value: 192.0.2.2 }',
    ['dns.records[1]: www.shop.example A is there twice: give one a list of values'],
  ],
  ['{ name: www, type: A }', ['dns.records[0]: needs either `value` or `answers`']],
  [
    '{ name: www, type: TXT, value: x, health: { tcp: 80 } }',
    ['dns.records[0].health: is for records of type A and AAAA'],
  ],
  ['{ name: www, type: A, value: 192.0.2.1, health: { tcp: 0 } }', [expect.stringContaining('dns.records[0].health')]],
  [
    '{ name: www, type: A, value: 192.0.2.1, health: { url: "http://a/\\"..os.exit()" } }',
    [expect.stringContaining('dns.records[0].health')],
  ],
  [
    '{ name: www, type: A, value: 192.0.2.1, health: { url: "http://a/", expect: "a\\nb" } }',
    [expect.stringContaining('dns.records[0].health')],
  ],
])('wrong record: %s', (text, expected) => {
  expect(record(text)).toEqual(expected)
})

test.each<[string, string, string[]]>([
  [
    'routing: weighted',
    '{ value: 192.0.2.1 }, { value: 192.0.2.2, weight: 1 }',
    ['dns.records[0].answers[0]: needs a `weight`'],
  ],
  [
    'routing: weighted',
    '{ value: 192.0.2.1, weight: 0 }',
    ['dns.records[0].answers: one has to have a weight above 0'],
  ],
  [
    'routing: failover',
    '{ value: 192.0.2.1 }',
    ['dns.records[0].routing: failover needs `health`: by that it is decided'],
  ],
  [
    'routing: failover, health: { tcp: 80 }',
    '{ value: 192.0.2.1, weight: 1 }',
    ['dns.records[0].answers[0].weight: is for `routing: weighted`'],
  ],
  [
    'routing: nearest',
    '{ value: 192.0.2.1 }',
    ['dns.records[0].answers: one has to say its `countries` or `continents`'],
  ],
  [
    'routing: nearest',
    '{ value: 192.0.2.1, countries: [DE] }, { value: 192.0.2.2, countries: [AT, DE] }',
    ['dns.records[0].answers[1].countries: DE is there twice'],
  ],
  [
    'routing: nearest',
    '{ value: 192.0.2.1, countries: [XX] }, { value: 192.0.2.2, continents: [EU] }',
    ['dns.records[0].answers[0].countries[0]: must be the code of a country, such as DE (ISO 3166-1)'],
  ],
  [
    'routing: nearest',
    '{ value: 192.0.2.1, continents: [DE] }, { value: 192.0.2.2, continents: [EU] }',
    [expect.stringContaining('dns.records[0].answers[0].continents[0]: ')],
  ],
  [
    'routing: failover, health: { tcp: 80 }',
    '{ value: 192.0.2.1, continents: [EU] }',
    ['dns.records[0].answers[0].continents: is for `routing: nearest`'],
  ],
  ['ttl: 5s', '{ value: 192.0.2.1 }', ['dns.records[0]: `routing` and `answers` go together']],
  [
    'routing: weighted',
    '{ value: x, weight: 1 }',
    ['dns.records[0].answers[0].value: A: must be an IPv4 address, found x'],
  ],
])('wrong routing: %s, %s', (fields, list, expected) => {
  expect(answers(fields, list)).toEqual(expected)
})

test('the example of the repository is right', () => {
  const text = readFileSync(new URL('../../../../examples/dns/blueprint.yaml', import.meta.url), 'utf8')
  expect(problemsOf(text)).toEqual([])
})
