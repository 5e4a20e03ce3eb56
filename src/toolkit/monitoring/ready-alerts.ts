import type { MonitoringSpec } from './schema.ts'

/** An alert that every deployment has unless it is switched off. */
export interface ReadyAlert {
  name: string
  /** With the number that it compares with, where it does. */
  expr(above: number): string
  above?: number
  /** Milliseconds. */
  for: number
  severity: 'critical' | 'warning'
  summary: string
}

const minute = 60_000

/** Seconds that a certificate has left, and for how long it was made. */
const left = 'certificate_end_time_seconds - time()'
const lifetime = '(certificate_end_time_seconds - certificate_begin_time_seconds)'

/** All that a machine writes to; what the system mounts for itself is not. */
const disks = '{mountpoint!~"/(boot|run)(/.*)?"}'

/** Each looks at recorded or scraped series that are there as soon as the machines are. */
export const readyAlerts: ReadyAlert[] = [
  {
    name: 'application-down',
    expr: () => 'max by (component) (haproxy_backend_active_servers) == 0',
    for: 30_000,
    severity: 'critical',
    summary: 'No machine of {{ $labels.component }} serves',
  },
  {
    name: 'error-rate',
    expr: (above) => `component:errors:ratio_rate1m > ${above}`,
    above: 0.05,
    for: 2 * minute,
    severity: 'critical',
    summary: '{{ $value | humanizePercentage }} of the requests to {{ $labels.component }} fail with 5xx',
  },
  {
    name: 'latency',
    expr: (above) => `component:request_duration_seconds:p95 > ${above}`,
    above: 1,
    for: 5 * minute,
    severity: 'warning',
    summary: 'One of 20 requests to {{ $labels.component }} takes {{ $value | humanizeDuration }} or longer',
  },
  {
    name: 'dns-errors',
    expr: (above) => `component:dns_servfail:ratio_rate1m > ${above}`,
    above: 0.01,
    for: 2 * minute,
    severity: 'warning',
    summary: '{{ $value | humanizePercentage }} of the questions to {{ $labels.component }} are answered with SERVFAIL',
  },
  {
    name: 'machine-lost',
    expr: () => 'up{job="node"} == 0',
    for: minute,
    severity: 'critical',
    summary: '{{ $labels.machine }} does not answer',
  },
  {
    name: 'target-down',
    expr: () => 'up{job!="node"} == 0 unless on (machine) up{job="node"} == 0',
    for: 2 * minute,
    severity: 'warning',
    summary: '{{ $labels.job }} on {{ $labels.machine }} gives no figures',
  },
  {
    name: 'disk-full',
    // What little is written after a start says nothing of the day to come: so only where a good part is taken already.
    expr: (above) =>
      `predict_linear(node_filesystem_avail_bytes${disks}[6h], 86400) < 0 and 1 - node_filesystem_avail_bytes${disks} / node_filesystem_size_bytes${disks} > ${above}`,
    above: 0.6,
    for: 30 * minute,
    severity: 'warning',
    summary: 'The disk {{ $labels.mountpoint }} of {{ $labels.machine }} is full within a day if this goes on',
  },
  {
    name: 'replication-behind',
    // Bytes of the log that a replica has not applied yet; there is no such series without a replica.
    expr: (above) => `max by (component, machine, client_addr) (pg_stat_replication_pg_wal_lsn_diff) > ${above}`,
    above: 64 * 2 ** 20,
    for: 5 * minute,
    severity: 'warning',
    summary: 'The replica {{ $labels.client_addr }} of {{ $labels.machine }} is {{ $value | humanize1024 }}B behind',
  },
  {
    name: 'broker-blocked',
    // Its own alarms: until they are over, whoever publishes is kept waiting.
    expr: () =>
      'max by (component, machine) ({__name__=~"rabbitmq_alarms_(memory_used|free_disk_space)_watermark"}) > 0',
    for: minute,
    severity: 'critical',
    summary: '{{ $labels.machine }} takes no messages: its memory or its disk is used up',
  },
  {
    name: 'queue-unattended',
    expr: (above) =>
      `max by (component, machine, vhost, queue) (rabbitmq_detailed_queue_messages_ready) > ${above} and max by (component, machine, vhost, queue) (rabbitmq_detailed_queue_consumers) == 0`,
    above: 0,
    for: 10 * minute,
    severity: 'warning',
    summary:
      '{{ $value }} messages wait in the queue {{ $labels.queue }} on {{ $labels.machine }}, and nobody takes them',
  },
  {
    name: 'backup-old',
    // Half as long again as the longest pause of its schedule: a single one that failed is not told, nor one that takes its time.
    expr: () =>
      'time() - backup_last_success_time_seconds > 1.5 * backup_interval_seconds and backup_interval_seconds > 0',
    for: 5 * minute,
    severity: 'critical',
    summary: 'The last dump of {{ $labels.backup }} on {{ $labels.machine }} is {{ $value | humanizeDuration }} old',
  },
  {
    name: 'certificate-due',
    // Renewal begins with a third of its time left: this late it has failed often. Two weeks are time enough for one that is uploaded.
    expr: () => `(${left}) < 1209600 and (${left}) / ${lifetime} < 0.2`,
    for: 10 * minute,
    severity: 'critical',
    summary:
      'The certificate {{ $labels.certificate }} on {{ $labels.machine }} ends in {{ $value | humanizeDuration }}',
  },
]

/** A rule of Prometheus that makes an alert. */
export interface AlertingRule {
  alert: string
  expr: string
  for: string
  labels: Record<string, string>
  annotations: Record<string, string>
}

/** Every alert of a section, ready-made ones as it changes them. */
export function alertingRules({ alerts }: Pick<MonitoringSpec, 'alerts'>): AlertingRule[] {
  const ready = readyAlerts.flatMap((one) => {
    const change = alerts.find(({ name }) => name === one.name)
    if (change && !change.enabled) return []
    const { name, severity, summary } = one
    const expr = one.expr(change?.above ?? one.above ?? 0)
    return [rule({ name, severity, summary, ...defined(change), expr, for: change?.for ?? one.for })]
  })
  const own = alerts.filter(({ expr, enabled }) => expr !== undefined && enabled)
  return [...ready, ...own.map((one) => rule({ ...one, expr: one.expr ?? '', for: one.for ?? minute }))]
}

interface Described {
  name: string
  expr: string
  for: number
  severity?: string | undefined
  summary?: string | undefined
  notify?: string | string[] | undefined
}

function rule({ name, expr, for: ms, severity, summary, notify }: Described): AlertingRule {
  return {
    alert: name,
    expr,
    for: `${ms}ms`,
    labels: {
      severity: severity ?? 'warning',
      // A route finds a receiver by its name between commas.
      ...(notify !== undefined && { notify: `,${[notify].flat().join(',')},` }),
    },
    annotations: { summary: summary ?? name },
  }
}

function defined<T extends object>(value: T | undefined): Partial<T> {
  return Object.fromEntries(Object.entries(value ?? {}).filter(([, member]) => member !== undefined)) as Partial<T>
}
