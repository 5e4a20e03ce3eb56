import type { ResolvedComponent } from '../../../src/model/blueprint.ts'
import type { ToolkitService } from '../../../src/toolkit/contract.ts'
import { loadBalancer } from '../../../src/toolkit/load-balancer/service.ts'
import type { ToolkitServiceUnderTest } from './test-toolkit-service.ts'

const web: ResolvedComponent = {
  name: 'web',
  recipe: 'nodejs',
  port: 8080,
  replicas: 2,
  machine: { cpu: 1, memory: 2 ** 29, image: 'debian-13' },
  placement: {},
  env: {},
  settings: {},
  health: { http: '/healthz', interval: 500, timeout: 1000, grace: 10_000 },
  update: { maxUnavailable: 1, drain: 0 },
}

const listener = { port: 80, to: 'web' }
const secure = { port: 443, protocol: 'https', certificates: ['web'], to: 'web' }
const tcp = { ...listener, protocol: 'tcp' }
const password = { $ref: 'secrets.ADMIN' }

/** The load balancer's part of the suite; who runs it adds `start`. */
export const loadBalancerUnderTest: ToolkitServiceUnderTest = {
  service: loadBalancer as unknown as ToolkitService,
  components: [
    web,
    { ...web, name: 'api' },
    { ...web, name: 'worker', port: undefined } as unknown as ResolvedComponent,
  ],
  sections: [
    { listeners: [listener] },
    {
      listeners: [
        { ...listener, sticky: true, algorithm: 'leastconn', health: { http: '/', interval: '1s', rise: 2 } },
        { port: 5432, name: 'old', protocol: 'tcp', to: { addresses: ['192.0.2.1', '2001:db8::1'], port: 5432 } },
      ],
      maintenance: { page: '<h1>Soon</h1>', retryAfter: '1h', backends: ['web'] },
      replicas: 2,
      machine: { cpu: 2, memory: '1GiB', disk: '10GiB', image: 'debian-12' },
      placement: { region: 'north', zones: ['a', 'b'] },
    },
    {
      listeners: [
        { port: 80, redirect: { scheme: 'https', status: 308 } },
        {
          ...secure,
          hsts: { includeSubDomains: true },
          routes: [
            { host: '*.shop.example', path: '/api', to: 'api' },
            { path: '/admin', exact: true, header: { 'X-Team': 'ops 1' }, name: 'admin', to: 'web' },
            { host: 'old.example', redirect: { host: 'www.shop.example' } },
          ],
          rateLimit: { requests: 100 },
          allow: ['10.0.0.0/8', '2001:db8::/32'],
          deny: ['10.0.0.1'],
          basicAuth: { users: [{ name: 'ops', password }] },
          compression: true,
          accessLog: false,
          limits: { body: '10MiB', headers: '8KiB' },
          proxyProtocol: { acceptFrom: ['10.0.0.0/8'] },
        },
        { port: 8443, protocol: 'tcp', routes: [{ host: 'db.example', to: { addresses: ['192.0.2.1'], port: 443 } }] },
        { port: 81, name: 'proxied', to: 'web', proxyProtocol: { send: 'v2' } },
      ],
    },
  ],
  services: [{ name: 'certificates', kind: 'certificates', spec: {}, metrics: {}, values: ['web.pem'] }],
  refused: {
    'at least one listener': { listeners: [] },
    'port 80 is used twice': { listeners: [listener, { ...listener, name: 'b' }] },
    'port 22 is that of SSH': { listeners: [{ ...listener, port: 22 }] },
    'on port 10000 the machines tell each other': {
      listeners: [listener, { ...listener, port: 10_000, rateLimit: { requests: 1 } }],
      replicas: 2,
    },
    'the backend web is not what it is in listeners.0': {
      listeners: [listener, { ...listener, port: 81, algorithm: 'first' }],
    },
    'there is no component api2': { listeners: [{ ...listener, routes: [{ path: '/a', to: 'api2' }] }] },
    'listeners.0.certificates.1 there is no certificate api': {
      listeners: [{ ...secure, certificates: ['web', 'api'] }],
    },
    'protocol https needs `certificates`': { listeners: [{ ...listener, protocol: 'https' }] },
    'certificates takes protocol https, not http': { listeners: [{ ...listener, certificates: ['web'] }] },
    'hsts takes protocol https, not http': { listeners: [{ ...listener, hsts: {} }] },
    'basicAuth takes protocol http or https, not tcp': {
      listeners: [{ ...tcp, basicAuth: { users: [{ name: 'a', password }] } }],
    },
    'compression takes protocol http or https, not tcp': { listeners: [{ ...tcp, compression: true }] },
    'limits takes protocol http or https, not tcp': { listeners: [{ ...tcp, limits: { body: '1MiB' } }] },
    'routes.0.path path takes protocol http or https, not tcp': {
      listeners: [{ ...tcp, routes: [{ host: 'a.example', path: '/a', to: 'web' }] }],
    },
    'a listener needs `to`, `redirect` or `routes`': { listeners: [{ port: 80 }] },
    'not both': { listeners: [{ ...listener, redirect: { scheme: 'https' } }] },
    'a route needs `to` or `redirect`': { listeners: [{ ...listener, routes: [{ path: '/a' }] }] },
    'a route needs a `host`, a `path` or a `header`': { listeners: [{ ...listener, routes: [{ to: 'web' }] }] },
    'takes the same requests as routes.0': {
      listeners: [
        {
          ...listener,
          routes: [
            { path: '/a', to: 'web' },
            { path: '/a/', to: 'web' },
          ],
        },
      ],
    },
    'needs at least one of scheme': { listeners: [{ port: 80, redirect: { status: 302 } }] },
    'redirect.status': { listeners: [{ port: 80, redirect: { scheme: 'https', status: 200 } }] },
    'password must be a secret': { listeners: [{ ...listener, basicAuth: { users: [{ name: 'a', password: 'b' }] } }] },
    'ops is there twice': {
      listeners: [
        {
          ...listener,
          basicAuth: {
            users: [
              { name: 'ops', password },
              { name: 'ops', password },
            ],
          },
        },
      ],
    },
    'an address or a network': { listeners: [{ ...listener, deny: ['10.0.0.0/33'] }] },
    'between 1B and 1TiB': { listeners: [{ ...listener, limits: { body: '-1' } }] },
    'maintenance.backends.0 there is no backend nosuch': {
      listeners: [listener],
      maintenance: { backends: ['nosuch'] },
    },
    'at most 12000 bytes': { listeners: [listener], maintenance: { page: 'x'.repeat(12_001) } },
    'there is no component nosuch': { listeners: [{ port: 80, to: 'nosuch' }] },
    'worker has no port': { listeners: [{ port: 80, to: 'worker' }] },
    'a cookie takes protocol http': { listeners: [{ ...listener, protocol: 'tcp', sticky: true }] },
    'a path that begins with /': { listeners: [{ ...listener, health: { http: '/a\r\nbind :1' } }] },
    'a duration such as': { listeners: [{ ...listener, timeouts: { client: '5 parsecs' } }] },
    'between 10ms and 1d': { listeners: [{ ...listener, health: { interval: '1ms' } }] },
    'listeners.0.algorithm': { listeners: [{ ...listener, algorithm: 'fastest' }] },
  },
  changes: {
    'maintenance.change': { params: { backend: 'web' }, body: { on: true }, unknown: { backend: 'nosuch' } },
    'server.change': {
      params: { backend: 'web', server: 'web-1' },
      body: { weight: 7, state: 'drain' },
      member: { component: 'web', machine: 'web-1' },
      unknown: { backend: 'web', server: 'web-1; shutdown' },
    },
  },
}
