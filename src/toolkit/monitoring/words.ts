/** A stable word for what people ask first. */
export interface Word {
  name: string
  unit: string
  summary: string
  /** Recorded series by component, and by machine where there are such. */
  component: string
  machine?: string
}

const latency = ([50, 95, 99] as const).map(
  (percent): Word => ({
    name: `latency-p${percent}`,
    unit: 'seconds',
    summary: `${percent} of 100 requests took no longer, over the last minute`,
    component: `component:request_duration_seconds:p${percent}`,
    machine: `machine:request_duration_seconds:p${percent}`,
  }),
)

const usage = (['cpu', 'memory', 'disk'] as const).map(
  (name): Word => ({
    name,
    unit: 'ratio',
    summary: { cpu: 'Processors in use', memory: 'Memory in use', disk: 'Root disk in use' }[name],
    component: `component:${name}:ratio`,
    machine: `machine:${name}:ratio`,
  }),
)

const network = (
  [
    ['in', 'receive'],
    ['out', 'transmit'],
  ] as const
).map(
  ([way, word]): Word => ({
    name: `network-${way}`,
    unit: 'bytes per second',
    summary: way === 'in' ? 'Received, without loopback' : 'Sent, without loopback',
    component: `component:network_${word}_bytes:rate1m`,
    machine: `machine:network_${word}_bytes:rate1m`,
  }),
)

const nameServers: Word[] = [
  {
    name: 'dns-queries-per-second',
    unit: 'queries per second',
    summary: 'Questions that the name servers got, over the last minute',
    component: 'component:dns_queries:rate1m',
    machine: 'machine:dns_queries:rate1m',
  },
  {
    name: 'dns-latency',
    unit: 'seconds',
    summary: 'What an answer took in the mean, of the last questions',
    component: 'component:dns_latency_seconds:mean',
    machine: 'machine:dns_latency_seconds:mean',
  },
  {
    name: 'dns-servfail-rate',
    unit: 'ratio',
    summary: 'Questions answered with SERVFAIL',
    component: 'component:dns_servfail:ratio_rate1m',
    machine: 'machine:dns_servfail:ratio_rate1m',
  },
]

export const words: Word[] = [
  {
    name: 'requests-per-second',
    unit: 'requests per second',
    summary: 'Requests that the load balancers answered, over the last minute',
    component: 'component:requests:rate1m',
    machine: 'machine:requests:rate1m',
  },
  {
    name: 'error-rate',
    unit: 'ratio',
    summary: 'Requests answered with 5xx',
    component: 'component:errors:ratio_rate1m',
    machine: 'machine:errors:ratio_rate1m',
  },
  ...latency,
  {
    name: 'queue',
    unit: 'requests',
    summary: 'Requests that wait for a free machine',
    component: 'component:queue:requests',
  },
  ...nameServers,
  ...usage,
  ...network,
  {
    name: 'machines',
    unit: 'machines',
    summary: 'Machines that answer',
    component: 'component:machines_up:count',
    machine: 'up{job="node"}',
  },
]
