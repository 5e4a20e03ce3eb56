import { expect, test } from 'vitest'
import { challenges } from '../../../../src/toolkit/dns/challenges.ts'
import { dnsSchema } from '../../../../src/toolkit/dns/schema.ts'

const spec = dnsSchema.parse({ zone: 'shop.example', zones: [{ zone: 'eu.shop.example' }] })
const challenge = (host: string, value: string) => ({ type: 'dns-01' as const, host, token: 't', value })
const record = (value: string[]) => ({ value, ttl: 1000, owner: 'system' })

test('a name is shown by the nearest zone that holds it, those made at run time among them', () => {
  const overrides = { 'made.example': { ttl: 60_000, dnssec: false, secondaries: [] } }
  const hosts = ['shop.example', 'www.shop.example', 'www.eu.shop.example', 'made.example', 'other.example']
  expect(hosts.map((host) => challenges.covers({ spec, overrides }, host))).toEqual([true, true, true, true, false])
  const shown = hosts.map((host) => Object.keys(challenges.overrides({ spec, overrides }, [challenge(host, 'v')])))
  expect(shown).toEqual([
    ['shop.example _acme-challenge TXT'],
    ['shop.example _acme-challenge.www TXT'],
    ['eu.shop.example _acme-challenge.www TXT'],
    ['made.example _acme-challenge TXT'],
    [],
  ])
})

test('a name and its wildcard are one set of two values', () => {
  const both = [challenge('shop.example', 'b'), challenge('shop.example', 'a')]
  expect(challenges.overrides({ spec, overrides: {} }, both)).toEqual({
    'shop.example _acme-challenge TXT': record(['a', 'b']),
  })
})

test('a record set that somebody made by the API stays, and its name cannot be shown', () => {
  const overrides = { 'shop.example _acme-challenge TXT': { value: ['mine'], owner: 'api' } }
  expect(challenges.covers({ spec, overrides }, 'shop.example')).toBe(false)
  expect(challenges.covers({ spec, overrides }, 'www.shop.example')).toBe(true)
  expect(challenges.overrides({ spec, overrides }, [challenge('shop.example', 'a')])).toEqual({})
  expect(challenges.overrides({ spec, overrides }, [])).toEqual({})
})

test('what is shown already is no change; what is shown no more goes, and nothing that others made', () => {
  const overrides = {
    'shop.example _acme-challenge TXT': record(['a']),
    'shop.example _acme-challenge.old TXT': record(['x']),
    'shop.example api A': { value: '192.0.2.1', owner: 'api' },
  }
  expect(challenges.overrides({ spec, overrides }, [challenge('shop.example', 'a')])).toEqual({
    'shop.example _acme-challenge.old TXT': null,
  })
})
