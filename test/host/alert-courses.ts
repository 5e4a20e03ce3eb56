/** What happens, a value each 15 s, and what is told at which times; null: nothing. */
export interface Course {
  alert: string
  course: string
  series: Record<string, string>
  told: Record<string, string | null>
  /** Of what is told, beside its severity. */
  labels?: Record<string, string>
  /** Seconds; default 15. */
  interval?: number
}

/** HAProxy's counters of a component: so many answers of a class every 15 s. */
const answers = (classes: Record<string, string>) =>
  Object.fromEntries(
    Object.entries(classes).map(([code, values]) => [
      `haproxy_backend_http_responses_total{job="load-balancer",component="web",balancer="load-balancer-1",code="${code}"}`,
      values,
    ]),
  )
const servers = (balancer: string, component = 'web') =>
  `haproxy_backend_active_servers{job="load-balancer",component="${component}",balancer="${balancer}"}`
const up = (job: string, machine: string) => `up{job="${job}",component="web",machine="${machine}"}`

/** Requests that take 10 ms and requests that take 2 s, so many every 15 s, for so many times 15 s. */
const requests = (...phases: { fast: number; slow: number; times: number }[]) => {
  const counted = (each: (phase: { fast: number; slow: number }) => number) => {
    let count = 0
    return phases.flatMap((phase) => Array.from({ length: phase.times }, () => (count += each(phase)))).join(' ')
  }
  const bucket = (le: string, values: string) => [
    `http_request_duration_seconds_bucket{job="access-log",component="web",machine="web-1",le="${le}"}`,
    values,
  ]
  const quick = counted(({ fast }) => fast)
  const all = counted(({ fast, slow }) => fast + slow)
  return Object.fromEntries([bucket('0.025', quick), bucket('1', quick), bucket('2.5', all), bucket('+Inf', all)])
}

/** PowerDNS' counters. */
const nameServer = (counters: Record<string, string>) =>
  Object.fromEntries(
    Object.entries(counters).map(([name, values]) => [
      `pdns_auth_${name}{job="dns",component="dns",machine="dns-1"}`,
      values,
    ]),
  )

const gib = 2 ** 30
const disk = (available: string, mountpoint = '/') => ({
  [`node_filesystem_avail_bytes{job="node",component="db",machine="db-1",mountpoint="${mountpoint}"}`]: available,
  [`node_filesystem_size_bytes{job="node",component="db",machine="db-1",mountpoint="${mountpoint}"}`]: `${20 * gib}+0x600`,
})
const day = 86_400
const certificate = (begin: number, end: string, { component = 'load-balancer', name = 'web' } = {}) => {
  const labels = `{job="node",component="${component}",machine="${component}-1",certificate="${name}"}`
  return {
    [`certificate_begin_time_seconds${labels}`]: `${begin}+0x600`,
    [`certificate_end_time_seconds${labels}`]: end,
  }
}
const broker = (name: string, labels = '') => `${name}{job="rabbitmq",component="queue",machine="queue-1"${labels}}`
const queue = (ready: string, consumers: string) => ({
  [broker('rabbitmq_detailed_queue_messages_ready', ',vhost="app",queue="jobs"')]: ready,
  [broker('rabbitmq_detailed_queue_consumers', ',vhost="app",queue="jobs"')]: consumers,
})
const backup = (last: string, name: string) => ({
  [`backup_last_success_time_seconds{job="node",component="db",machine="db-1",backup="${name}"}`]: last,
  [`backup_interval_seconds{job="node",component="db",machine="db-1",backup="${name}"}`]: `${day}+0x1500`,
})
const replica = (values: string) => ({
  'pg_stat_replication_pg_wal_lsn_diff{job="postgresql",component="db",machine="db-1",client_addr="10.0.0.9",state="streaming"}':
    values,
})

/** Of every ready-made alert: when it is told, and when not. */
export const courses: Course[] = [
  {
    alert: 'application-down',
    course: 'every server of a component is down, then one is back',
    series: { [servers('load-balancer-1')]: '2x3 0x7 1x20', [servers('load-balancer-1', 'other')]: '2x30' },
    labels: { component: 'web' },
    told: { '45s': null, '1m15s': null, '1m45s': 'No machine of web serves', '3m': null },
  },
  {
    alert: 'application-down',
    course: 'one of two load balancers sees none',
    series: { [servers('load-balancer-1')]: '0x30', [servers('load-balancer-2')]: '2x30' },
    told: { '5m': null },
  },
  {
    alert: 'application-down',
    course: 'servers that are down for a moment',
    series: { [servers('load-balancer-1')]: '2x3 0x1 2x20' },
    told: { '1m': null, '1m15s': null, '2m': null },
  },
  {
    alert: 'error-rate',
    course: 'one of ten requests fails for some minutes, then none does',
    series: answers({ '2xx': '0+90x60', '5xx': '0+0x10 0+10x20 200+0x30' }),
    labels: { component: 'web' },
    told: { '2m30s': null, '4m': null, '6m': '10% of the requests to web fail with 5xx', '9m': null },
  },
  {
    alert: 'error-rate',
    course: 'two of a hundred requests fail',
    series: answers({ '2xx': '0+98x60', '5xx': '0+2x60' }),
    told: { '10m': null },
  },
  {
    alert: 'error-rate',
    course: 'nobody asks for anything',
    series: answers({ '2xx': '5+0x60', '5xx': '7+0x60' }),
    told: { '10m': null },
  },
  {
    alert: 'latency',
    course: 'one of ten requests takes 2 s for ten minutes, then none',
    series: requests({ fast: 90, slow: 10, times: 40 }, { fast: 100, slow: 0, times: 20 }),
    labels: { component: 'web' },
    told: { '4m': null, '8m': 'One of 20 requests to web takes 1.75s or longer', '12m': null },
  },
  {
    alert: 'latency',
    course: 'one of a hundred takes 2 s',
    series: requests({ fast: 99, slow: 1, times: 60 }),
    told: { '14m': null },
  },
  {
    alert: 'latency',
    course: 'nobody asks for anything',
    series: requests({ fast: 0, slow: 0, times: 60 }),
    told: { '14m': null },
  },
  {
    alert: 'dns-errors',
    course: 'one of twenty questions is answered with SERVFAIL for some minutes, then none is',
    series: nameServer({ udp_queries: '0+90x60', tcp_queries: '0+10x60', servfail_packets: '0+0x10 0+5x20 100+0x30' }),
    labels: { component: 'dns' },
    told: {
      '2m30s': null,
      '4m': null,
      '6m': '5% of the questions to dns are answered with SERVFAIL',
      '9m': null,
    },
  },
  {
    alert: 'dns-errors',
    course: 'nobody asks for anything',
    series: nameServer({ udp_queries: '5+0x60', tcp_queries: '0+0x60', servfail_packets: '7+0x60' }),
    told: { '10m': null },
  },
  {
    alert: 'machine-lost',
    course: 'a machine is silent, then it is back',
    series: { [up('node', 'web-1')]: '1x3 0x8 1x20', [up('node', 'web-2')]: '1x40' },
    labels: { job: 'node', component: 'web', machine: 'web-1' },
    told: { '1m15s': null, '2m15s': 'web-1 does not answer', '3m15s': null },
  },
  {
    alert: 'machine-lost',
    course: 'it is removed from the deployment',
    series: { [up('node', 'web-1')]: '1x3 0x2 stale' },
    told: { '5m': null },
  },
  {
    alert: 'target-down',
    course: 'an application gives no figures while its machine does',
    series: { [up('node', 'web-1')]: '1x40', [up('application', 'web-1')]: '1x3 0x16 1x20' },
    labels: { job: 'application', component: 'web', machine: 'web-1' },
    told: { '2m': null, '4m': 'application on web-1 gives no figures', '6m': null },
  },
  {
    alert: 'target-down',
    course: 'its machine is lost, which is told already',
    series: { [up('node', 'web-1')]: '0x40', [up('application', 'web-1')]: '0x40' },
    told: { '9m': null },
  },
  {
    alert: 'disk-full',
    course: 'half a GiB an hour, 8 left; then it was emptied',
    interval: 300,
    series: disk(`${8 * gib}-${gib / 24}x84 ${15 * gib}+0x120`),
    labels: { job: 'node', component: 'db', machine: 'db-1', mountpoint: '/' },
    told: { '20m': null, '4h': 'The disk / of db-1 is full within a day if this goes on', '14h': null },
  },
  {
    alert: 'disk-full',
    course: 'another disk than the first',
    interval: 300,
    series: disk(`${8 * gib}-${gib / 24}x84`, '/var/lib/postgresql'),
    labels: { job: 'node', component: 'db', machine: 'db-1', mountpoint: '/var/lib/postgresql' },
    told: { '4h': 'The disk /var/lib/postgresql of db-1 is full within a day if this goes on' },
  },
  {
    alert: 'disk-full',
    course: 'what is for the system itself',
    interval: 300,
    series: disk(`${8 * gib}-${gib / 24}x84`, '/boot/efi'),
    told: { '4h': null },
  },
  {
    alert: 'disk-full',
    course: 'so little an hour that it lasts for days',
    interval: 300,
    series: disk(`${7 * gib}-${gib / 240}x84`),
    told: { '6h': null },
  },
  {
    alert: 'disk-full',
    course: 'a burst on a disk that is almost empty',
    interval: 300,
    series: disk(`${19 * gib}-${gib / 12}x40`),
    told: { '3h': null },
  },
  {
    alert: 'backup-old',
    course: 'a dump a day; then none for more than a day and a half, then one again',
    interval: 300,
    series: backup(`0+0x240 ${20 * 3600}+0x720 ${80 * 3600}+0x480`, 'db'),
    labels: { job: 'node', component: 'db', machine: 'db-1', backup: 'db' },
    told: { '20h': null, '55h': null, '60h': 'The last dump of db on db-1 is 1d 16h 0m 0s old', '84h': null },
  },
  {
    alert: 'backup-old',
    course: 'one that comes a third of a day late',
    interval: 300,
    series: backup(`0+0x380 ${32 * 3600}+0x300`, 'db'),
    told: { '31h': null, '34h': null },
  },
  {
    alert: 'certificate-due',
    course: 'twelve of ninety days are left, then it is renewed',
    interval: 300,
    series: certificate(-78 * day, `${12 * day}+0x12 ${90 * day}+0x100`),
    labels: { job: 'node', component: 'load-balancer', machine: 'load-balancer-1', certificate: 'web' },
    told: {
      '5m': null,
      '20m': 'The certificate web on load-balancer-1 ends in 11d 23h 40m 0s',
      '2h': null,
    },
  },
  {
    alert: 'certificate-due',
    course: "a database's was not renewed",
    interval: 300,
    series: certificate(-80 * day, `${10 * day}+0x100`, { component: 'db', name: '/etc/kitbag/db/server.crt' }),
    labels: { job: 'node', component: 'db', machine: 'db-1', certificate: '/etc/kitbag/db/server.crt' },
    told: { '20m': 'The certificate /etc/kitbag/db/server.crt on db-1 ends in 9d 23h 40m 0s' },
  },
  {
    alert: 'certificate-due',
    course: 'an authority gives six days, and three are left',
    interval: 300,
    series: certificate(-3 * day, `${3 * day}+0x50`),
    told: { '2h': null },
  },
  {
    alert: 'certificate-due',
    course: 'an uploaded one of two years has 20 days left',
    interval: 300,
    series: certificate(-710 * day, `${20 * day}+0x50`),
    told: { '2h': null },
  },
  {
    alert: 'broker-blocked',
    course: 'its memory is used up for some minutes',
    series: {
      [broker('rabbitmq_alarms_memory_used_watermark')]: '0x7 1x16 0x20',
      [broker('rabbitmq_alarms_free_disk_space_watermark')]: '0x60',
    },
    labels: { component: 'queue', machine: 'queue-1' },
    told: { '2m30s': null, '4m': 'queue-1 takes no messages: its memory or its disk is used up', '7m': null },
  },
  {
    alert: 'broker-blocked',
    course: 'an alarm of half a minute',
    series: { [broker('rabbitmq_alarms_free_disk_space_watermark')]: '0x7 1 1 0x20' },
    told: { '2m30s': null, '4m': null },
  },
  {
    alert: 'queue-unattended',
    course: 'those who take messages are gone, and come back',
    series: queue('5x8 12x60 0x20', '2x8 0x60 2x20'),
    labels: { component: 'queue', machine: 'queue-1', vhost: 'app', queue: 'jobs' },
    told: { '10m': null, '14m': '12 messages wait in the queue jobs on queue-1, and nobody takes them', '20m': null },
  },
  {
    alert: 'queue-unattended',
    course: 'many wait, and somebody takes them',
    series: queue('5000x80', '1x80'),
    told: { '15m': null },
  },
  {
    alert: 'queue-unattended',
    course: 'nobody is there, and nothing waits',
    series: queue('0x80', '0x80'),
    told: { '15m': null },
  },
  {
    alert: 'replication-behind',
    course: 'a replica falls behind, then catches up',
    series: replica(`0x4 ${100 * 2 ** 20}x30 0x20`),
    labels: { component: 'db', machine: 'db-1', client_addr: '10.0.0.9' },
    told: { '4m': null, '7m': 'The replica 10.0.0.9 of db-1 is 100MiB behind', '10m': null },
  },
  {
    alert: 'replication-behind',
    course: 'it keeps up',
    series: replica(`0 ${2 ** 20} 0 ${40 * 2 ** 20}x30`),
    told: { '8m': null },
  },
]
