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

/** The load balancer's part of the suite; who runs it adds `start`. */
export const loadBalancerUnderTest: ToolkitServiceUnderTest = {
  service: loadBalancer as unknown as ToolkitService,
  components: [web, { ...web, name: 'worker', port: undefined } as unknown as ResolvedComponent],
  sections: [
    { listeners: [listener] },
    {
      listeners: [
        { ...listener, sticky: true, algorithm: 'leastconn', health: { http: '/', interval: '1s', rise: 2 } },
        { port: 5432, name: 'old', protocol: 'tcp', to: { addresses: ['192.0.2.1', '2001:db8::1'], port: 5432 } },
      ],
      replicas: 2,
      machine: { cpu: 2, memory: '1GiB', disk: '10GiB', image: 'debian-12' },
      placement: { region: 'north', zones: ['a', 'b'] },
    },
  ],
  refused: {
    'at least one listener': { listeners: [] },
    'port 80 is used twice': { listeners: [listener, { ...listener, name: 'b' }] },
    'port 22 is that of SSH': { listeners: [{ ...listener, port: 22 }] },
    'two listeners have the backend web': { listeners: [listener, { ...listener, port: 81 }] },
    'there is no component nosuch': { listeners: [{ port: 80, to: 'nosuch' }] },
    'worker has no port': { listeners: [{ port: 80, to: 'worker' }] },
    'a cookie takes protocol http': { listeners: [{ ...listener, protocol: 'tcp', sticky: true }] },
    'a path that begins with /': { listeners: [{ ...listener, health: { http: '/a\r\nbind :1' } }] },
    'a duration such as': { listeners: [{ ...listener, timeouts: { client: '5 parsecs' } }] },
    'between 10ms and 1d': { listeners: [{ ...listener, health: { interval: '1ms' } }] },
    'listeners.0.algorithm': { listeners: [{ ...listener, algorithm: 'fastest' }] },
  },
  changes: {
    'server.change': {
      params: { backend: 'web', server: 'web-1' },
      body: { weight: 7, state: 'drain' },
      member: { component: 'web', machine: 'web-1' },
      unknown: { backend: 'web', server: 'web-1; shutdown' },
    },
  },
}
