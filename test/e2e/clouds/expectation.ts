import type { Observation } from './observation.ts'

/** What differs between the moments of the suite. */
export interface Moment {
  /** Version of the application. */
  version: string
  /** Machines of `web`. */
  web: string[]
}

const others = ['db-1', 'dns-1', 'load-balancer-1', 'monitoring-1']

const components = ['db', 'dns', 'loadBalancer', 'monitoring', 'web']

/** What is to be seen of the guestbook, whatever cloud it is on. */
export function expectation({ version, web }: Moment): Observation {
  const perMachine = [...others, ...web]
  return {
    status: 'live',
    machines: [
      'db-1: db, ready',
      'dns-1: dns, ready',
      'load-balancer-1: loadBalancer, ready',
      'monitoring-1: monitoring, ready',
      ...web.map((name) => `${name}: web, ready`),
    ],
    answers: {
      page: 'Guestbook',
      version,
      entries: ['Ada: <b>kept</b>'],
      'not there': '404 {"error":"nothing at /nothing"}',
      'no entry': '400 {"error":"name and message are required"}',
      machines: web.length,
    },
    names: {
      'guestbook.example NS': ['ns1.guestbook.example'],
      'ns1.guestbook.example A': ['dns-1'],
      'www.guestbook.example A': ['load-balancer-1'],
      'web.guestbook.example A': web,
      'about.guestbook.example TXT': ['A guestbook with its toolkit'],
      'nothing.guestbook.example A': ['ENOTFOUND'],
      'other.example A': ['EREFUSED'],
    },
    openToAnyone: {
      'db-1': [22],
      'dns-1': [22, 53],
      'load-balancer-1': [22, 80],
      'monitoring-1': [22],
      ...Object.fromEntries(web.map((name) => [name, [22]])),
    },
    openToDatabase: Object.fromEntries(web.map((name) => [name, [22]])),
    servers: web.map((name) => `${name} UP ready`),
    targets: [
      'access-log of load-balancer-1',
      'alertmanager of monitoring-1',
      ...perMachine.map((name) => `container of ${name}`),
      'dns of dns-1',
      'load-balancer of load-balancer-1',
      ...perMachine.map((name) => `node of ${name}`),
      'postgresql of db-1',
      'prometheus of monitoring-1',
    ],
    words: {
      'requests-per-second': ['web'],
      'error-rate': ['web'],
      'latency-p50': ['web'],
      'latency-p95': ['web'],
      'latency-p99': ['web'],
      queue: ['web'],
      'dns-queries-per-second': ['dns'],
      'dns-latency': ['dns'],
      'dns-servfail-rate': ['dns'],
      cpu: components,
      memory: components,
      disk: components,
      'network-in': components,
      'network-out': components,
      machines: components,
    },
    alerts: [],
    unwell: [],
    health: { loadBalancer: 'healthy', dns: 'healthy', monitoring: 'healthy', healing: 'healthy' },
    drift: [],
  }
}
