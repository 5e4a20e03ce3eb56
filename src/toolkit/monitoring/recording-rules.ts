/** A rule of Prometheus that keeps the values of an expression under a name. */
export interface RecordingRule {
  record: string
  expr: string
}

const rate = (metric: string) => `rate(${metric}[1m])`

const root = '{mountpoint="/"}'

/** Errors among requests: 0 without any request, and nothing where nobody counts. */
const ratio = (part: string, whole: string) => `(${part} / (${whole} > 0)) or (${whole} * 0)`

function quantiles(of: 'component' | 'machine'): RecordingRule[] {
  const by = of === 'component' ? 'component, le' : 'component, machine, le'
  return [50, 95, 99].map((percent) => ({
    record: `${of}:request_duration_seconds:p${percent}`,
    expr: `histogram_quantile(${percent / 100}, sum by (${by}) (${rate('http_request_duration_seconds_bucket')}))`,
  }))
}

const perMachine = 'sum by (component, machine)'

/** What machines say of themselves; of containers what is theirs, where the kernel's own figures are those of the box around them. */
const machineRules: RecordingRule[] = [
  {
    record: 'machine:cpu:ratio',
    expr: `${perMachine} (${rate('container_cpu_seconds_total')}) / ${perMachine} (container_cpus) or 1 - avg by (component, machine) (${rate('node_cpu_seconds_total{mode="idle"}')})`,
  },
  {
    record: 'machine:memory:ratio',
    expr: `${perMachine} (container_memory_used_bytes) / ${perMachine} (container_memory_bytes) or 1 - ${perMachine} (node_memory_MemAvailable_bytes) / ${perMachine} (node_memory_MemTotal_bytes)`,
  },
  {
    record: 'machine:disk:ratio',
    expr: `1 - max by (component, machine) (node_filesystem_avail_bytes${root}) / max by (component, machine) (node_filesystem_size_bytes${root})`,
  },
  ...(['receive', 'transmit'] as const).map((way) => ({
    record: `machine:network_${way}_bytes:rate1m`,
    expr: `sum by (component, machine) (${rate(`node_network_${way}_bytes_total{device!="lo"}`)})`,
  })),
]

/** What load balancers say of the components behind them. */
const trafficRules: RecordingRule[] = [
  { record: 'component:requests:rate1m', expr: `sum by (component) (${rate('haproxy_backend_http_responses_total')})` },
  {
    record: 'component:errors:ratio_rate1m',
    expr: ratio(
      `sum by (component) (${rate('haproxy_backend_http_responses_total{code="5xx"}')})`,
      `sum by (component) (${rate('haproxy_backend_http_responses_total')})`,
    ),
  },
  {
    record: 'machine:requests:rate1m',
    expr: `sum by (component, machine) (${rate('haproxy_server_http_responses_total')})`,
  },
  {
    record: 'machine:errors:ratio_rate1m',
    expr: ratio(
      `sum by (component, machine) (${rate('haproxy_server_http_responses_total{code="5xx"}')})`,
      `sum by (component, machine) (${rate('haproxy_server_http_responses_total')})`,
    ),
  },
  { record: 'component:queue:requests', expr: 'sum by (component) (haproxy_backend_current_queue)' },
  ...quantiles('component'),
  ...quantiles('machine'),
]

/** What name servers say of themselves. */
const nameServerRules: RecordingRule[] = (
  [
    ['machine', perMachine, 'avg by (component, machine)'],
    ['component', 'sum by (component)', 'avg by (component)'],
  ] as const
).flatMap(([of, sum, avg]) => {
  const queries = `(${rate('pdns_auth_udp_queries')} + ${rate('pdns_auth_tcp_queries')})`
  return [
    { record: `${of}:dns_queries:rate1m`, expr: `${sum} ${queries}` },
    {
      record: `${of}:dns_servfail:ratio_rate1m`,
      expr: ratio(`${sum} (${rate('pdns_auth_servfail_packets')})`, `${sum} ${queries}`),
    },
    // PowerDNS' own running mean, in microseconds.
    { record: `${of}:dns_latency_seconds:mean`, expr: `${avg} (pdns_auth_latency) / 1e6` },
  ]
})

const componentRules: RecordingRule[] = [
  ...(['cpu', 'memory', 'disk'] as const).map((what) => ({
    record: `component:${what}:ratio`,
    expr: `${what === 'disk' ? 'max' : 'avg'} by (component) (machine:${what}:ratio)`,
  })),
  ...(['receive', 'transmit'] as const).map((way) => ({
    record: `component:network_${way}_bytes:rate1m`,
    expr: `sum by (component) (machine:network_${way}_bytes:rate1m)`,
  })),
  { record: 'component:machines_up:count', expr: 'sum by (component) (up{job="node"})' },
]

/** In this order: later ones use earlier ones. Units are base units; `ratio` is 0 to 1. */
export const recordingRules: RecordingRule[] = [...machineRules, ...trafficRules, ...nameServerRules, ...componentRules]
