import { createPrivateKey, X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { isCovered, readHost } from '../../../../src/toolkit/certificates/hosts.ts'
import { faultOf, hostsOf } from '../../../../src/toolkit/certificates/material.ts'
import { issueLeaf, makeAuthority } from '../../../../src/toolkit/certificates/x509.ts'

const day = 86_400_000
const now = new Date('2026-11-21T12:00:00Z')
const made = makeAuthority('Kitbag shop', 3650 * day, now)
const authority = { ...made, name: 'Kitbag shop', until: new Date(now.getTime() + 3650 * day) }
const hosts = ['www.shop.example', '*.shop.example', '192.0.2.7', '2001:db8::7', '::1']
const leaf = (lifetime = 90 * day) => issueLeaf(authority, { hosts, lifetime, now })

test('a certificate is for its names and addresses, signed by the authority, with its key', () => {
  const { certificate, key } = leaf()
  const [parsed, ca] = [new X509Certificate(certificate), new X509Certificate(made.certificate)]
  expect([parsed.checkIssued(ca), parsed.verify(ca.publicKey), ca.ca, parsed.ca]).toEqual([true, true, true, false])
  expect(parsed.checkPrivateKey(createPrivateKey(key))).toBe(true)
  expect(['www.shop.example', 'x.shop.example'].map((host) => parsed.checkHost(host) !== undefined)).toEqual([
    true,
    true,
  ])
  expect(parsed.checkHost('x.y.shop.example')).toBeUndefined()
  expect(['192.0.2.7', '2001:db8::7', '::1', '192.0.2.8'].map((ip) => parsed.checkIP(ip) !== undefined)).toEqual([
    true,
    true,
    true,
    false,
  ])
  expect(new Date(parsed.validTo).getTime()).toBe(now.getTime() + 90 * day)
  expect(new Date(parsed.validFrom).getTime()).toBeLessThan(now.getTime())
  expect(isCovered('2001:db8:0::7', hostsOf(parsed))).toBe(true)
})

test('it ends no later than its authority, also where years have four digits to write', () => {
  const { certificate } = leaf(100 * 365 * day)
  expect(new Date(new X509Certificate(certificate).validTo)).toEqual(authority.until)
  const far = makeAuthority('far', 40 * 365 * day, now)
  expect(new Date(new X509Certificate(far.certificate).validTo).getUTCFullYear()).toBe(2066)
})

test('no two have the same serial number', () => {
  const serials = Array.from({ length: 50 }, () => new X509Certificate(leaf().certificate).serialNumber)
  expect(new Set(serials).size).toBe(50)
  for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9A-F]{31}$/)
})

test('what was issued has no fault, alone and with its authority', () => {
  const { certificate, key } = leaf()
  expect(faultOf(certificate, key, hosts, now)).toBeUndefined()
  expect(faultOf(`some words\n${certificate}${made.certificate}`, key, hosts, now)).toBeUndefined()
})

test.for([
  ['www.Shop.example', 'www.shop.example'],
  ['www.shop.example.', 'www.shop.example'],
  ['*.shop.example', '*.shop.example'],
  ['localhost', 'localhost'],
  ['192.0.2.7', '192.0.2.7'],
  ['2001:DB8::7', '2001:db8::7'],
  ['*', undefined],
  ['*.example', '*.example'],
  ['a.*.example', undefined],
  ['a..example', undefined],
  ['-a.example', undefined],
  ['a b.example', undefined],
  ['a\nb.example', undefined],
  ['192.0.2.300', undefined],
  ['::ffff:192.0.2.1', undefined],
  ['fe80::1%eth0', undefined],
  [`${'a'.repeat(64)}.example`, undefined],
  ['', undefined],
])('host %j is %j', ([text, host]) => {
  expect(readHost(text as string)).toBe(host)
})

test.for<[string, string[], boolean]>([
  ['a.example', ['a.example'], true],
  ['a.example', ['*.example'], true],
  ['a.b.example', ['*.example'], false],
  ['*.example', ['*.example'], true],
  ['*.b.example', ['*.example'], false],
  ['*.example', ['a.example'], false],
  ['192.0.2.7', ['192.0.2.7'], true],
  ['192.0.2.7', ['*.0.2.7'], false],
])('%s is served by a certificate for %j: %s', ([host, names, covered]) => {
  expect(isCovered(host, names)).toBe(covered)
})
