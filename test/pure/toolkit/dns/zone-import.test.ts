import { describe, expect, test } from 'vitest'
import { KitbagError } from '../../../../src/model/errors.ts'
import { zoneContents } from '../../../../src/toolkit/dns/rendered-zone.ts'
import { zoneText } from '../../../../src/toolkit/dns/zone-file.ts'
import { importZone } from '../../../../src/toolkit/dns/zone-import.ts'
import { byApi, zoneOf } from './zones.ts'

const zone = 'shop.example'

/** `www 60 A 192.0.2.1,192.0.2.2` for each set. */
function sets(text: string): string[] {
  return importZone(text, zone).map(
    ({ name, type, ttl, values }) => `${name} ${ttl / 1000} ${type} ${values.join(',')}`,
  )
}

function problems(text: string): string[] {
  try {
    importZone(text, zone)
    return []
  } catch (error) {
    if (!(error instanceof KitbagError)) throw error
    return error.problems.map(({ path, message }) => `${path}: ${message}`)
  }
}

test.each<[string, string, string[]]>([
  ['a plain record', 'www 60 IN A 192.0.2.1', ['www.shop.example 60 A 192.0.2.1']],
  ['class and TTL in the other order', 'www IN 60 A 192.0.2.1', ['www.shop.example 60 A 192.0.2.1']],
  ['neither', 'www A 192.0.2.1', ['www.shop.example 3600 A 192.0.2.1']],
  ['lower case', 'WWW in a 192.0.2.1', ['www.shop.example 3600 A 192.0.2.1']],
  ['$TTL', '$TTL 1h30m\nwww A 192.0.2.1', ['www.shop.example 5400 A 192.0.2.1']],
  [
    '$TTL in between',
    'a A 192.0.2.1\n$TTL 5\nb A 192.0.2.2',
    ['a.shop.example 3600 A 192.0.2.1', 'b.shop.example 5 A 192.0.2.2'],
  ],
  ['a TTL of a year', 'www 31536000 A 192.0.2.1', ['www.shop.example 604800 A 192.0.2.1']],
  [
    '$ORIGIN',
    '$ORIGIN b.shop.example.\na CNAME c\n$ORIGIN d\n@ MX 10 @',
    ['a.b.shop.example 3600 CNAME c.b.shop.example.', 'd.b.shop.example 3600 MX 10 d.b.shop.example.'],
  ],
  ['the root as origin', '$ORIGIN .\nwww.shop.example CNAME a.example', ['www.shop.example 3600 CNAME a.example.']],
  [
    'a dotted name without a dot at its end is below',
    'a CNAME www.other.example',
    ['a.shop.example 3600 CNAME www.other.example.shop.example.'],
  ],
  [
    'no name: the one before',
    'www A 192.0.2.1\n\n  A 192.0.2.2\n\tTXT x',
    ['www.shop.example 3600 A 192.0.2.1,192.0.2.2', 'www.shop.example 3600 TXT "x"'],
  ],
  [
    'comments',
    '; a\nwww A 192.0.2.1 ; b\nt TXT "a;b" ; c "d',
    ['www.shop.example 3600 A 192.0.2.1', 't.shop.example 3600 TXT "a;b"'],
  ],
  ['brackets', 't TXT ( "a" ; one\n  "b" ) ; two', ['t.shop.example 3600 TXT "a" "b"']],
  ['brackets beside words', 'm MX(10 mail)', ['m.shop.example 3600 MX 10 mail.shop.example.']],
  ['brackets in quotes', 't TXT "a(b" "c)"', ['t.shop.example 3600 TXT "a(b" "c)"']],
  ['escapes', 't TXT a\\032b "\\"" \\;', ['t.shop.example 3600 TXT "a b" "\\"" ";"']],
  ['words without quotes are strings', 't TXT a b', ['t.shop.example 3600 TXT "a" "b"']],
  [
    'CRLF',
    'www A 192.0.2.1\r\nb A 192.0.2.2\r\n',
    ['www.shop.example 3600 A 192.0.2.1', 'b.shop.example 3600 A 192.0.2.2'],
  ],
  ['a wildcard', '* A 192.0.2.1', ['*.shop.example 3600 A 192.0.2.1']],
  ['a record twice', 'a A 192.0.2.1\na A 192.0.2.1', ['a.shop.example 3600 A 192.0.2.1']],
  [
    'HTTPS',
    '@ HTTPS 1 . alpn="h2,h3" ipv4hint=192.0.2.1',
    ['shop.example 3600 HTTPS 1 . alpn=h2,h3 ipv4hint=192.0.2.1'],
  ],
  ['what name servers make', '@ SOA ns. h. ( 1 2 3 4 5 )\n@ NS ns1\n@ DNSKEY 257 3 13 aa==\nx NSEC y A', []],
  [
    'a delegation',
    'sub NS ns1.sub\nns1.sub A 192.0.2.1',
    ['sub.shop.example 3600 NS ns1.sub.shop.example.', 'ns1.sub.shop.example 3600 A 192.0.2.1'],
  ],
  ['nothing', '', []],
])('%s', (_, text, expected) => {
  expect(sets(text)).toEqual(expected)
})

test.each<[string, string, string[]]>([
  ['outside', 'www.other.example. A 192.0.2.1', ['line 1: www.other.example is outside of the zone shop.example']],
  [
    'outside by its end only',
    'notshop.example. A 192.0.2.1',
    ['line 1: notshop.example is outside of the zone shop.example'],
  ],
  ['the root', '. TXT x', ['line 1: . is outside of the zone shop.example']],
  ['a name that cannot be served', 'a\\"b A 192.0.2.1', ['line 1: a\\"b is not a name that can be served']],
  ['an unknown type', 'a WKS x', ['line 1: there is no record type WKS here']],
  ['no type', 'a', ['line 1: there is no record type (none) here']],
  ['Lua', 'a LUA A "return 1"', ['line 1: there is no record type LUA here']],
  ['another class', 'a CH TXT x', ['line 1: the class CH is not supported']],
  ['$INCLUDE', '$INCLUDE /etc/passwd', ['line 1: $INCLUDE is not supported']],
  ['$GENERATE', '$GENERATE 1-9 a$ A 192.0.2.$', ['line 1: $GENERATE is not supported']],
  ['a TTL below 0', 'a -1 A 192.0.2.1', ['line 1: there is no record type -1 here']],
  ['a $TTL that is none', '$TTL soon', ['line 1: $TTL must be a time, found soon']],
  ['an open bracket', 'a A 192.0.2.1\nt TXT ( "a"\n', ['file: line 2: a ( is not closed']],
  ['an open quote', 't TXT "a', ['line 1: t.shop.example TXT: a " is not closed']],
  ['a bad content, later', '\n\na A here', ['line 3: a.shop.example A: must be an IPv4 address, found here']],
  ['two CNAMEs', 'a CNAME b\na CNAME c', ['a.shop.example CNAME: a name has one CNAME record, found 2']],
  [
    '70,000 bytes',
    `t TXT ${'"x" '.repeat(35_000)}`,
    ['t.shop.example TXT: has 70013 bytes: 65000 are allowed, for they go in one answer'],
  ],
])('refused: %s', (_, text, expected) => {
  expect(problems(text)).toEqual(expected)
})

test('every problem is told, 100 at most', () => {
  expect(problems('a A x\nb A y')).toHaveLength(2)
  expect(problems('a A x\n'.repeat(1000))).toHaveLength(100)
})

describe('what is exported is imported as the same', () => {
  const records = [
    { name: '@', type: 'MX', value: ['10 mail', '20 mail.other.example'] },
    { name: '*', type: 'A', value: '192.0.2.1', ttl: '5m' },
    { name: '_443._tcp.www', type: 'TLSA', value: '3 1 0 abcd' },
    { name: 'a', type: 'TXT', value: ['"a" ; b', 'x\ny\0z', 'ü\\', 'z'.repeat(600)] },
    { name: 'b', type: 'HTTPS', value: '1 . alpn=h2,h3 port=8443' },
    { name: 'c', type: 'LOC', value: '52 22 23 N 4 53 32 E -2m' },
    { name: 'd', type: 'CAA', value: '0 issue "ca.example; x=1"' },
    { name: 'e', type: 'SRV', value: '0 5 443 www' },
    { name: 'shop.example.shop.example', type: 'A', value: '192.0.2.3' },
  ]
  const written = (zoneSets: ReturnType<typeof zoneContents>, nameservers: string[][]) =>
    zoneText({ zone, ttl: 60, sets: zoneSets, nameservers }, 7)
  const own = [['10.0.0.1'], ['10.0.0.2', 'fd00::2']]

  test('with the addresses of the name servers left to Kitbag', () => {
    const text = written(zoneContents(zoneOf({ zone, records })), own)
    const taken = importZone(text, zone, ['ns1.shop.example', 'ns2.shop.example'])
    expect(taken.some(({ name }) => name.startsWith('ns'))).toBe(false)
    const overrides = byApi(
      Object.fromEntries(
        taken.map(({ name, type, ttl, values }) => {
          const relative = name === zone ? '@' : name.slice(0, -zone.length - 1)
          return [`${zone} ${relative} ${type}`, { ttl, value: values }]
        }),
      ),
    )
    expect(written(zoneContents(zoneOf({ zone }, overrides)), own)).toBe(text)
  })
})
