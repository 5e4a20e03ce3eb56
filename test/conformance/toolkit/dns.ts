import type { JsonObject } from '../../../src/model/json.ts'
import type { ToolkitService } from '../../../src/toolkit/contract.ts'
import { dns } from '../../../src/toolkit/dns/service.ts'
import { loadBalancerUnderTest } from './load-balancer.ts'
import type { ToolkitServiceUnderTest } from './test-toolkit-service.ts'

const zone = 'shop.example'
const stored = { 'shop.example api A': { value: '192.0.2.1', owner: 'api' } as JsonObject }
const made = { 'new.example': { ttl: 60_000, dnssec: false, secondaries: [] } as JsonObject }
const record = { name: 'www', type: 'A', value: '192.0.2.1' }

/** DNS's part of the suite; it runs on real machines in a test of its own. */
export const dnsUnderTest: ToolkitServiceUnderTest = {
  service: dns as unknown as ToolkitService,
  components: loadBalancerUnderTest.components,
  sections: [
    { zone },
    {
      zone,
      ttl: '5m',
      dnssec: true,
      secondaries: ['192.0.2.53'],
      records: [
        { ...record, value: { $ref: 'web.addresses' }, health: { tcp: 80 } },
        { name: '@', type: 'MX', value: ['10 mail', '20 mx.other.example'] },
        {
          name: 'w',
          type: 'A',
          routing: 'weighted',
          answers: [
            { value: '192.0.2.1', weight: 1 },
            { value: '192.0.2.2', weight: 9 },
          ],
        },
      ],
      zones: [{ zone: '2.0.192.in-addr.arpa', records: [{ name: '1', type: 'PTR', value: 'www.shop.example' }] }],
      nameservers: 3,
      machine: { image: 'debian-12' },
    },
  ],
  refused: {
    'needs a `zone`': {},
    'must be a domain name': { zone: 'a..b' },
    'is there twice': { zone, records: [record, record] },
    'zones.0.zone shop.example is there twice': { zone, zones: [{ zone }] },
    'records.0.value A: must be an IPv4 address': { zone, records: [{ ...record, value: '192.0.2.300' }] },
    'records.0.type': { zone, records: [{ ...record, type: 'AXFR' }] },
    'must be between 0s and 7d': { zone, records: [{ ...record, ttl: '8d' }] },
  },
  changes: {
    'zones.set': { params: { zone: 'new.example' }, body: { ttl: '60s' }, unknown: { zone: 'new example' } },
    'zones.remove': { params: { zone: 'new.example' }, body: {}, overrides: made, unknown: { zone: 'old.example' } },
    'records.set': {
      params: { zone, name: 'api', type: 'A' },
      body: { value: '192.0.2.1' },
      unknown: { zone: 'other.example', name: 'api', type: 'A' },
    },
    'records.remove': {
      params: { zone, name: 'api', type: 'A' },
      body: {},
      overrides: stored,
      unknown: { zone, name: 'ipa', type: 'A' },
    },
    'zone.import': {
      params: { zone },
      body: { text: 'www 60 IN A 192.0.2.1\n' },
      unknown: { zone: 'other.example' },
    },
    'countries.set': { params: {}, body: { archive: 'a'.repeat(64) } },
    'countries.remove': {
      params: {},
      body: {},
      overrides: { 'countries archive': { archive: 'a'.repeat(64) } },
    },
  },
}
