import { httpOverReach } from '../../lib/http-over-reach.ts'
import { prometheusPort } from '../../lib/prometheus.ts'
import { canonicalJson } from '../../model/json.ts'
import type { MachineAccess } from '../../model/machine.ts'
import type { Reach } from '../../model/reach.ts'
import type { ControlContext } from '../contract.ts'
import { askAlertmanager, type KnownAlert } from './alertmanager-api.ts'
import { asked } from './nodes.ts'

/** An alert as Prometheus knows it. */
interface RunningAlert {
  labels: Record<string, string>
  annotations: Record<string, string>
  state: 'pending' | 'firing'
  activeAt: string
  value: string
}

/** Alerts that fire or are about to, and whether they are silenced. Throws as `asked` does. */
export async function currentAlerts(context: Pick<ControlContext<unknown>, 'reach' | 'machines' | 'service'>) {
  return asked(context, async (node) => {
    const [alerts, known] = await Promise.all([
      runningAlerts(context.reach, node),
      askAlertmanager<KnownAlert[]>(context.reach, node, 'GET', '/alerts'),
    ])
    const silenced = new Set(
      known.filter(({ status }) => status.silencedBy.length > 0).map(({ labels }) => canonicalJson(labels)),
    )
    return alerts.map(({ labels, annotations, state, activeAt, value }) => ({
      alert: labels.alertname ?? '',
      state: silenced.has(canonicalJson(labels)) ? ('silenced' as const) : state,
      severity: labels.severity ?? '',
      component: labels.component ?? '',
      machine: labels.machine ?? '',
      since: activeAt,
      value,
      summary: annotations.summary ?? '',
    }))
  })
}

async function runningAlerts(reach: Reach, node: MachineAccess): Promise<RunningAlert[]> {
  const { body } = await httpOverReach(reach, node, {
    host: '127.0.0.1',
    port: prometheusPort,
    path: '/api/v1/alerts',
    timeout: 5000,
  })
  return (JSON.parse(body) as { data: { alerts: RunningAlert[] } }).data.alerts
}
