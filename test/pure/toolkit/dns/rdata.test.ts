import { describe, expect, test } from 'vitest'
import { canonicalContent, canonicalContents, recordTypes } from '../../../../src/toolkit/dns/rdata.ts'

const zone = 'shop.example'

/** The content as it would be served, or why it is refused. */
function read(type: string, content: string): string {
  try {
    return canonicalContent(type, content, zone)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return `refused: ${error.message}`
  }
}

const right: [string, string, string][] = [
  ['A', '192.0.2.1', '192.0.2.1'],
  ['A', ' 192.0.2.1\n', '192.0.2.1'],
  ['AAAA', '2001:DB8::1', '2001:db8::1'],
  ['ALIAS', 'www.other.example', 'www.other.example.'],
  ['ALIAS', 'www', 'www.shop.example.'],
  ['CAA', '0 issue letsencrypt.example', '0 issue "letsencrypt.example"'],
  ['CAA', '128 issuewild ";"', '128 issuewild ";"'],
  ['CAA', '0 iodef "mailto:a@b.example"', '0 iodef "mailto:a@b.example"'],
  ['CNAME', 'WWW.other.example.', 'www.other.example.'],
  ['CNAME', '@', 'shop.example.'],
  ['HTTPS', '0 www.other.example', '0 www.other.example.'],
  ['HTTPS', '1 . alpn=h2,h3 port=8443', '1 . alpn=h2,h3 port=8443'],
  ['HTTPS', '1 . alpn="h2"', '1 . alpn=h2'],
  [
    'SVCB',
    '2 svc ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1',
    '2 svc.shop.example. ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1',
  ],
  ['SVCB', '1 . alpn=h2 no-default-alpn mandatory=alpn key9=x', '1 . mandatory=alpn alpn=h2 no-default-alpn key9="x"'],
  [
    'LOC',
    '52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m',
    '52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000.00m 10.00m',
  ],
  ['LOC', '52 n 4 30 w 10', '52 0 0.000 N 4 30 0.000 W 10.00m 1.00m 10000.00m 10.00m'],
  ['MX', '10 mail', '10 mail.shop.example.'],
  ['MX', '010 mail.other.example', '10 mail.other.example.'],
  ['MX', '0 .', '0 .'],
  ['NS', 'ns1.other.example.', 'ns1.other.example.'],
  ['PTR', 'www.shop.example', 'www.shop.example.'],
  ['SRV', '0 5 443 www', '0 5 443 www.shop.example.'],
  ['SSHFP', `4 2 ${'AB '.repeat(32)}`, `4 2 ${'ab'.repeat(32)}`],
  ['SSHFP', '4 9 abcd', '4 9 abcd'],
  ['TLSA', `3 1 1 ${'d2'.repeat(32)}`, `3 1 1 ${'d2'.repeat(32)}`],
  ['TLSA', '3 1 0 d2ab', '3 1 0 d2ab'],
  ['TXT', 'v=spf1 -all', '"v=spf1 -all"'],
  ['TXT', '', '""'],
  ['TXT', '"a b" "c"', '"a b" "c"'],
  ['TXT', '"a\\"b\\\\c\\010"', '"a\\"b\\\\c\\010"'],
]

test.each(right)('%s %j is served as %s', (type, content, expected) => {
  expect(read(type, content)).toBe(expected)
})

test('every type has a row', () => {
  expect([...new Set(right.map(([type]) => type))].sort()).toEqual(recordTypes)
})

test('what is canonical stays as it is', () => {
  for (const [type, , canonical] of right) expect(read(type, canonical)).toBe(canonical)
})

describe('what could break out of its line stands in the text', () => {
  test.each([
    ['a comment after a quote', '"a" ; b', '"\\"a\\" ; b"'],
    ['a comment between quotes', '"a" ; "b"', '"\\"a\\" ; \\"b\\""'],
    ['newlines', 'a\nwww 60 IN A 192.0.2.66', '"a\\010www 60 IN A 192.0.2.66"'],
    ['a carriage return', 'a\r\n$INCLUDE /etc/passwd', '"a\\013\\010$INCLUDE /etc/passwd"'],
    ['Lua', "\"; os.execute('id') --", '"\\"; os.execute(\'id\') --"'],
    ['NUL', 'a\0b', '"a\\000b"'],
    ['a quote', '"', '"\\""'],
    ['an open quote', '"a', '"\\"a"'],
    ['a backslash at the end', 'a\\', '"a\\\\"'],
    ['brackets', '( a )', '"( a )"'],
    ['Handlebars', '{{parameters.seed}}', '"{{parameters.seed}}"'],
    ['shell', '$(id) `id`', '"$(id) `id`"'],
    ['unicode, as UTF-8', 'ü€', '"\\195\\188\\226\\130\\172"'],
    ['what a browser would run', '<b>&amp;', '"<b>&amp;"'],
  ])('TXT: %s', (_, content, expected) => {
    expect(read('TXT', content)).toBe(expected)
  })

  test('a long TXT goes in strings of 255 bytes, and no other byte than of plain ASCII stands in it', () => {
    const content = read('TXT', 'é'.repeat(300))
    expect(content.match(/"[^"]*"/g)).toHaveLength(3)
    expect(content).toMatch(/^[ -~]*$/)
  })
})

test.each([
  ['A', '192.0.2.256', 'must be an IPv4 address, found 192.0.2.256'],
  ['A', '2001:db8::1', 'must be an IPv4 address, found 2001:db8::1'],
  ['A', '192.0.2.1 192.0.2.2', 'must be such as 192.0.2.1, found 192.0.2.1 192.0.2.2'],
  ['A', '192.0.2.1 ; x', 'must be such as 192.0.2.1, found 192.0.2.1 ; x'],
  ['A', '192.0.2.1\nwww A 192.0.2.66', 'must be such as 192.0.2.1, found 192.0.2.1\nwww A 192.0.2.66'],
  ['A', '', 'must be such as 192.0.2.1, found '],
  ['AAAA', 'fe80::1%eth0', 'must be an IPv6 address, found fe80::1%eth0'],
  ['CNAME', 'a"b', 'must be a host name, found a"b'],
  ['CNAME', 'a\\.b', 'a name with a \\ is not supported'],
  ['CNAME', 'x\0y', 'must be a host name, found x\0y'],
  ['CNAME', `${'a'.repeat(64)}.example.`, `must be a host name, found ${'a'.repeat(64)}.example.`],
  ['MX', 'mail', 'must be such as 10 mail.example.com., found mail'],
  ['MX', '65536 mail', 'the preference must be a number from 0 to 65535, found 65536'],
  ['MX', '-1 mail', 'the preference must be a number from 0 to 65535, found -1'],
  ['SRV', '0 5 70000 www', 'the port must be a number from 0 to 65535, found 70000'],
  ['CAA', '0 is_sue x', 'the tag is not allowed: is_sue'],
  ['CAA', `0 issue ${'x'.repeat(256)}`, 'a text of 256 bytes: 255 are allowed'],
  ['SSHFP', '4 2 xyz', 'the fingerprint must be hexadecimal, found xyz'],
  ['SSHFP', '4 2 abcd', 'a fingerprint of type 2 has 32 bytes, found 2'],
  ['TLSA', '3 1 2 abcd', 'data of matching type 2 has 64 bytes, found 2'],
  ['TLSA', '3 1 1 abc', 'the data must be hexadecimal, found abc'],
  ['TLSA', '3 1 256 ab', 'the matching type must be a number from 0 to 255, found 256'],
  ['LOC', '91 N 4 E 0m', 'must be a location such as 52 22 23.000 N 4 53 32.000 E -2.00m'],
  ['LOC', '52 60 N 4 E 0m', 'must be a location such as 52 22 23.000 N 4 53 32.000 E -2.00m'],
  ['LOC', 'here', 'must be a location such as 52 22 23.000 N 4 53 32.000 E -2.00m'],
  ['HTTPS', '1', 'must be such as 1 . alpn=h2'],
  ['HTTPS', '0 . alpn=h2', 'an alias (priority 0) has no parameters'],
  ['HTTPS', '1 . alpn=h2 alpn=h3', 'alpn is there twice'],
  ['HTTPS', '1 . alp=h2', 'there is no parameter alp'],
  ['HTTPS', '1 . key1=h2', 'there is no parameter key1'],
  ['HTTPS', '1 . port=http', 'port holds what it may not: http'],
  ['HTTPS', '1 . ipv4hint=192.0.2.300', 'ipv4hint holds what it may not: 192.0.2.300'],
  ['HTTPS', '1 . no-default-alpn=', 'no-default-alpn holds what it may not: '],
  ['HTTPS', '1 . no-default-alpn', 'no-default-alpn needs alpn'],
  ['HTTPS', '1 . mandatory=port', 'mandatory names port, which is not there'],
  ['SVCB', '1 . key9=a"b', 'key9 holds what it may not: a"b'],
  ['TXT', '"a\\300b"', '\\300 is no byte'],
  ['TXT', `"${'a'.repeat(256)}"`, 'a text of 256 bytes in quotes: 255 are allowed, split it'],
  ['LUA', 'A "return 1"', 'there is no record type LUA'],
  ['SOA', 'a b 1 2 3 4 5', 'there is no record type SOA'],
])('%s %j is refused', (type, content, message) => {
  expect(read(type, content)).toBe(`refused: ${message}`)
})

test('a set: each content once, sorted; one name stands for one other; what does not fit a message is refused', () => {
  expect(canonicalContents('A', ['192.0.2.2', '192.0.2.1', '192.0.2.2'], zone)).toEqual(['192.0.2.1', '192.0.2.2'])
  expect(() => canonicalContents('CNAME', ['a', 'b'], zone)).toThrow('a name has one CNAME record, found 2')
  expect(canonicalContents('CNAME', ['a', 'a.shop.example.'], zone)).toEqual(['a.shop.example.'])
  expect(() => canonicalContents('TXT', ['x'.repeat(70_000)], zone)).toThrow(/has \d+ bytes: 65000 are allowed/)
  expect(() => canonicalContents('TXT', ['x'.repeat(40_000), 'y'.repeat(40_000)], zone)).toThrow('65000 are allowed')
  expect(canonicalContents('TXT', ['\n'.repeat(60_000)], zone)).toHaveLength(1)
})
