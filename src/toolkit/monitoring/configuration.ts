import { createHash } from 'node:crypto'
import { certificateName } from '../../lib/own-key-pair.ts'
import { alertingRules } from './ready-alerts.ts'
import { recordingRules } from './recording-rules.ts'
import type { AlertSpec } from './schema.ts'
import type { Target } from './targets.ts'

/** Where a machine's gate listens. */
export const gatePort = 9998

/** Where a machine's Alertmanager takes alerts of others, where there are several. */
const doorPort = 9096

/** Who has the deployment's key is asked, and told. */
const byKey = {
  ca_file: '/etc/prometheus/kitbag/exporters.crt',
  cert_file: '/etc/prometheus/kitbag/exporters.crt',
  key_file: '/etc/prometheus/kitbag/exporters.key',
  server_name: certificateName,
}

/** The recipe's parameters, resolved. */
export interface PrometheusParameters {
  /** Milliseconds. */
  interval: number
  targets: Target[]
  alerts: AlertSpec[]
  seed: string
}

/** JSON, which is YAML too: nothing in a value can be anything else than that value. */
function text(value: unknown): string {
  return `${JSON.stringify(value, null, 1)}\n`
}

export function rulesText({ alerts }: Pick<PrometheusParameters, 'alerts'>): string {
  return text({
    groups: [
      { name: 'kitbag', rules: recordingRules },
      { name: 'alerts', rules: alertingRules({ alerts }) },
    ],
  })
}

/** What tells one configuration from another; the running process says which it has. */
export function configurationMark(configuration: string, rules: string): string {
  return createHash('sha256').update(configuration).update('\0').update(rules).digest('hex').slice(0, 16)
}

/** prometheus.yml and the rules beside it. */
export function prometheusFiles(parameters: PrometheusParameters): { configuration: string; rules: string } {
  const rules = rulesText(parameters)
  const configuration = (mark: string) =>
    text({
      global: {
        scrape_interval: `${parameters.interval}ms`,
        scrape_timeout: `${Math.min(10_000, parameters.interval)}ms`,
        evaluation_interval: `${parameters.interval}ms`,
        external_labels: { configuration: mark },
      },
      rule_files: ['/etc/prometheus/kitbag/rules.yml'],
      alerting: {
        // For `afterConfigure`, and nobody who is told of an alert.
        alert_relabel_configs: [{ action: 'labeldrop', regex: 'configuration' }],
        alertmanagers: [{ static_configs: [{ targets: ['127.0.0.1:9093'] }] }, ...doors(parameters)],
      },
      scrape_configs: parameters.targets.map(scrapeConfig),
    })
  return { configuration: configuration(configurationMark(configuration(''), rules)), rules }
}

/** The mark in a configuration that `prometheusFiles` made. */
export function markIn(configuration: string): string | undefined {
  return /"?configuration"?: "?([0-9a-f]{16})"?/.exec(configuration)?.[1]
}

function scrapeConfig(target: Target) {
  const { job, component, machines, module, params, port, path, backends } = target
  const at = (address: string) => `${host(address)}:${module ? gatePort : port}`
  return {
    // Each has a name of its own; the label `job` is what they share.
    job_name: `${component} ${job}${module && module !== job ? ` ${module}` : ''}`,
    ...(module ? gated(module, params) : { metrics_path: path }),
    static_configs: machines.map(({ name, address }) => ({
      targets: [at(address)],
      labels: { job, component, machine: name },
    })),
    ...(backends && { metric_relabel_configs: backendLabels(backends) }),
  }
}

function gated(module: string, params: Target['params']) {
  return { scheme: 'https', metrics_path: '/proxy', params: { ...params, module: [module] }, tls_config: byKey }
}

/**
 * Where there are several, each Prometheus gives its alerts to all Alertmanagers: one whose own Prometheus is gone would take for over what
 * is only not told any more, and say so.
 */
function doors({ targets }: PrometheusParameters) {
  const machines = targets.find(({ job }) => job === 'alertmanager')?.machines ?? []
  if (machines.length < 2) return []
  const addresses = machines.map(({ address }) => `${host(address)}:${doorPort}`)
  return [{ scheme: 'https', tls_config: byKey, static_configs: [{ targets: addresses }] }]
}

const host = (address: string) => (address.includes(':') ? `[${address}]` : address)

/**
 * Figures of a backend are those of the component behind it, and those of a server its machine's. The exporter calls a backend `proxy`,
 * the access log `backend`.
 */
function backendLabels(backends: Record<string, string>) {
  const own = Object.entries(backends).flatMap(([backend, component]) =>
    ['proxy', 'backend'].map((label) => ({
      source_labels: [label],
      regex: escaped(backend),
      target_label: 'component',
      replacement: component.replaceAll('$', '$$$$'),
    })),
  )
  return [
    { source_labels: ['machine'], target_label: 'balancer' },
    ...own,
    { source_labels: ['server'], regex: '(.+)', target_label: 'machine' },
  ]
}

function escaped(value: string): string {
  return value.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
