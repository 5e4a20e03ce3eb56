import { certificates } from '../../../src/toolkit/certificates/service.ts'
import type { ToolkitService } from '../../../src/toolkit/contract.ts'
import { loadBalancerUnderTest } from './load-balancer.ts'
import type { ToolkitServiceUnderTest } from './test-toolkit-service.ts'

const web = { name: 'web', hosts: ['www.shop.example'] }
const acme = { directory: 'https://ca.example/dir', challenge: 'dns-01' }
const issuer = { name: 'ca', acme }

/** The part of certificates in the suite. */
export const certificatesUnderTest: ToolkitServiceUnderTest = {
  service: certificates as unknown as ToolkitService,
  components: loadBalancerUnderTest.components,
  sections: [
    { certificates: [web] },
    {
      issuers: [
        {
          name: 'ca',
          acme: { ...acme, email: 'ops@shop.example', eab: { keyId: 'k', hmacKey: { $ref: 'secrets.EAB' } } },
        },
      ],
      certificates: [
        { ...web, hosts: ['shop.example', '*.SHOP.example'], issuer: 'ca' },
        { name: 'api', hosts: ['api.internal', '192.0.2.1', '2001:db8::1'], issuer: 'internal' },
        { name: 'old', hosts: ['old.example'], issuer: 'upload' },
      ],
    },
  ],
  refused: {
    'at least one certificate': { certificates: [] },
    'at least one host': { certificates: [{ ...web, hosts: [] }] },
    'must be a host name': { certificates: [{ ...web, hosts: ['a..b'] }] },
    'certificates.1.name web is there twice': { certificates: [web, web] },
    'there is no issuer nosuch': { certificates: [{ ...web, issuer: 'nosuch' }] },
    'issuers.1.name ca is there twice': { issuers: [issuer, issuer], certificates: [web] },
    'ca proves domain names by dns-01: 192.0.2.1 is none': {
      issuers: [issuer],
      certificates: [{ ...web, hosts: ['192.0.2.1'], issuer: 'ca' }],
    },
    'a wildcard is proved by dns-01 only': {
      issuers: [{ name: 'ca', acme: { ...acme, challenge: 'http-01' } }],
      certificates: [{ ...web, hosts: ['*.shop.example'], issuer: 'ca' }],
    },
    'is the name of a built-in issuer': { issuers: [{ ...issuer, name: 'internal' }], certificates: [web] },
    'must be a URL that begins with https': {
      issuers: [{ name: 'ca', acme: { ...acme, directory: 'http://ca.example/dir' } }],
      certificates: [web],
    },
    'must be certificates in PEM': { issuers: [{ name: 'ca', acme: { ...acme, trust: 'x' } }], certificates: [web] },
    'must be a secret such as': {
      issuers: [{ name: 'ca', acme: { ...acme, eab: { keyId: 'k', hmacKey: 'clear' } } }],
      certificates: [web],
    },
  },
  changes: {},
}
