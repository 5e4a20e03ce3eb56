import { describe, expect, test } from 'vitest'
import {
  absoluteName,
  fromRelative,
  ownerName,
  readName,
  relativeName,
  wireName,
} from '../../../../src/toolkit/dns/name.ts'

const zone = 'shop.example'
const label63 = 'a'.repeat(63)

test.each([
  ['shop.example', 'shop.example'],
  ['Shop.Example.', 'shop.example'],
  ['*.shop.example', '*.shop.example'],
  ['_sip._tcp.shop.example', '_sip._tcp.shop.example'],
  ['2.0.192.in-addr.arpa', '2.0.192.in-addr.arpa'],
  [`${label63}.example`, `${label63}.example`],
  [`${label63}a.example`, undefined],
  [`${`${label63}.`.repeat(3)}${'a'.repeat(61)}`, `${`${label63}.`.repeat(3)}${'a'.repeat(61)}`],
  [`${`${label63}.`.repeat(3)}${'a'.repeat(62)}`, undefined],
  ['', undefined],
  ['.', undefined],
  ['a..b', undefined],
  ['a.*.b', undefined],
  ['-a.b', undefined],
  ['a-.b', undefined],
  ['a b.c', undefined],
  ['a\n.b', undefined],
  ['a.b\n', undefined],
  ['a"b.c', undefined],
  ['a\\b.c', undefined],
  ['a;b.c', undefined],
  ['a$b.c', undefined],
  ['a\0.b', undefined],
  ['bücher.example', undefined],
])('a whole name: %j', (text, expected) => {
  expect(absoluteName(text)).toBe(expected)
})

describe('the name of a record set', () => {
  test.each([
    ['@', 'shop.example'],
    ['www', 'www.shop.example'],
    ['*', '*.shop.example'],
    ['a.b', 'a.b.shop.example'],
    ['_sip._tcp', '_sip._tcp.shop.example'],
    ['www.shop.example', 'www.shop.example'],
    ['www.shop.example.', 'www.shop.example'],
    ['shop.example', 'shop.example'],
    ['WWW', 'www.shop.example'],
    ['www.other.example.', undefined],
    ['other.example.', undefined],
    ['notshop.example.', undefined],
    ['', undefined],
  ])('%j', (text, expected) => {
    expect(ownerName(text, zone)).toBe(expected)
  })

  test('what is below a name like the zone itself keeps its place', () => {
    const name = 'shop.example.shop.example'
    expect(fromRelative(relativeName(name, zone), zone)).toBe(name)
    expect(fromRelative(relativeName(zone, zone), zone)).toBe(zone)
  })
})

test.each([
  ['@', 'shop.example'],
  ['www', 'www.shop.example'],
  ['www.other.example', 'www.other.example'],
  ['www.other.example.', 'www.other.example'],
  ['a b', undefined],
])('a name that a record points to: %j', (text, expected) => {
  expect(readName(text, zone)).toBe(expected)
})

test('on the wire', () => {
  expect(wireName('a.bc').toString('hex')).toBe('016102626300')
  expect(wireName('').toString('hex')).toBe('00')
})
