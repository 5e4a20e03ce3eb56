import { expect, test } from 'vitest'
import type { Reach } from '../../../../src/model/reach.ts'
import { read } from '../../../../src/toolkit/dns/routes/files.ts'
import type { DnsContext } from '../../../../src/toolkit/dns/routes/read.ts'
import { dnsSchema, zonesOf } from '../../../../src/toolkit/dns/schema.ts'

test('a zone that is exported has the addresses of its name servers that the world knows', async () => {
  const spec = dnsSchema.parse({ zone: 'shop.example', records: [{ name: 'www', type: 'A', value: '192.0.2.1' }] })
  const context: DnsContext = {
    service: 'dns',
    spec,
    reach: {} as Reach,
    machines: [],
    unsettled: new Set(),
    parameters: async () => ({ zones: zonesOf(spec), overrides: {} }),
    outside: async () => [
      { name: 'dns-1', address: '203.0.113.1', addresses: ['203.0.113.1', '2001:db8::1'] },
      { name: 'dns-2', address: '203.0.113.2' },
    ],
  }
  expect(await read.read?.(context, { zone: 'shop.example' }, {})).toEqual({
    text: expect.stringContaining('\nns1 60 IN A 203.0.113.1\nns1 60 IN AAAA 2001:db8::1\nns2 60 IN A 203.0.113.2\n'),
  })
})
