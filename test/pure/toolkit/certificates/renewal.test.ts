import { expect, test } from 'vitest'
import type { CertificateRecord } from '../../../../src/model/certificate.ts'
import { retryAfterOf } from '../../../../src/toolkit/certificates/acme/http.ts'
import { retryDelay } from '../../../../src/toolkit/certificates/refresh.ts'
import { isDue, renewalTime, wantedCertificates } from '../../../../src/toolkit/certificates/wanted.ts'
import { judge } from '../../../../src/toolkit/certificates/watch.ts'

const day = 86_400_000
const from = new Date('2026-01-01T00:00:00Z')
const at = (days: number) => new Date(from.getTime() + days * day)

test('a certificate of 90 days is renewed after some 60, each at its own time, always the same', () => {
  const times = Array.from({ length: 200 }, (_, i) => renewalTime(`crt_${i}`, from, at(90)).getTime())
  expect(Math.max(...times)).toBeLessThanOrEqual(at(60).getTime())
  expect(Math.min(...times)).toBeGreaterThanOrEqual(at(55.5).getTime())
  expect(new Set(times).size).toBe(200)
  expect(renewalTime('crt_1', from, at(90)).getTime()).toBe(times[1])
})

test('one of a few minutes too', () => {
  const time = renewalTime('x', from, new Date(from.getTime() + 300_000)).getTime() - from.getTime()
  expect(time).toBeGreaterThanOrEqual(185_000)
  expect(time).toBeLessThanOrEqual(200_000)
})

test('due is what has its time behind it; what has none is never', () => {
  expect([at(0), at(1), at(2), null].map((nextTry) => isDue({ nextTry }, at(1)))).toEqual([true, true, false, false])
})

const acme = { directory: 'https://ca.example/dir', challenge: 'dns-01' as const }
const spec = (more: object, issuer = 'ca') => ({
  issuers: [{ name: 'ca', acme: { ...acme, ...more } }],
  certificates: [{ name: 'web', hosts: ['b.example', 'a.example', 'a.example'], issuer }],
})
const purposeOf = (more: object, issuer?: string) => wantedCertificates(spec(more, issuer))[0]?.purpose

test('what a certificate is for is its authority and its hosts, whatever else is said of them', () => {
  const first = purposeOf({})
  expect(purposeOf({ email: 'ops@shop.example' })).toBe(first)
  expect(purposeOf({ directory: 'https://other.example/dir' })).not.toBe(first)
  expect(new Set([first, purposeOf({}, 'internal'), purposeOf({}, 'upload')]).size).toBe(3)
  const [turned] = wantedCertificates({
    ...spec({}),
    certificates: [{ name: 'web', hosts: ['a.example', 'b.example'], issuer: 'ca' }],
  })
  expect(turned?.purpose).toBe(first)
})

const good = { notBefore: from, notAfter: at(90), standIn: false, failures: 0, error: null }

test.for<[string, string, Partial<CertificateRecord>, number, RegExp]>([
  ['info', 'ca', {}, 30, /is good until 2026-04-01/],
  ['warn', 'ca', { failures: 2, error: 'it does not answer' }, 61, /ca did not give the certificate web: it does not/],
  ['warn', 'ca', { standIn: true, failures: 1, error: 'no' }, 0, /ca did not give/],
  ['alert', 'ca', { failures: 9, error: 'it does not answer' }, 76, /ends at 2026-04-01.* not renewed: it does not/],
  ['alert', 'ca', {}, 91, /expired at 2026-04-01/],
  ['warn', 'upload', { standIn: true }, 0, /was not uploaded yet/],
  ['info', 'upload', {}, 60, /is good/],
  ['alert', 'upload', {}, 80, /upload the next one/],
])('%s: %s', ([level, issuer, row, days, message]) => {
  const [wanted] = wantedCertificates(spec({}, issuer))
  if (!wanted) throw new Error('no certificate')
  const judged = judge(wanted, { ...good, ...row }, at(days))
  expect([judged.level, judged.message]).toEqual([level, expect.stringMatching(message)])
})

test('Retry-After is seconds or a date', () => {
  const now = Date.parse('2026-11-21T12:00:00Z')
  const header = ['120', 'Sat, 21 Nov 2026 12:01:00 GMT', 'Sat, 21 Nov 2026 11:00:00 GMT', 'soon', undefined]
  expect(header.map((one) => retryAfterOf(one, now))).toEqual([120_000, 60_000, 0, undefined, undefined])
})

test('tries after failures: doubling, an hour at most; closer when little time is left, and never without a pause', () => {
  const minute = 60_000
  const after = (failures: number, left: number) => retryDelay({ failures, retry: 2 * minute, left }) / minute
  expect([0, 1, 2, 3, 4, 5, 50].map((failures) => after(failures, 30 * 1440 * minute))).toEqual([
    2, 4, 8, 16, 32, 60, 60,
  ])
  expect([0, 3, 5, 50].map((failures) => after(failures, 100 * minute))).toEqual([2, 16, 25, 25])
  expect([0, 3, 50].map((failures) => after(failures, -minute))).toEqual([2, 12, 12])
})
