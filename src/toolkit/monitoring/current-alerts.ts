import { askPrometheus } from '../../lib/prometheus.ts'
import { canonicalJson } from '../../model/json.ts'
import type { MachineAccess } from '../../model/machine.ts'
import type { Reach } from '../../model/reach.ts'
import type { ControlContext } from '../contract.ts'
import { askAlertmanager, type KnownAlert } from './alertmanager-api.ts'
import { asked } from './nodes.ts'
import { noticeLabel } from './notices.ts'

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
    const rules = alerts.map(({ labels, annotations, state, activeAt, value }) => ({
      alert: labels.alertname ?? '',
      state: silenced.has(canonicalJson(labels)) ? ('silenced' as const) : state,
      severity: labels.severity ?? '',
      component: labels.component ?? '',
      machine: labels.machine ?? '',
      since: activeAt,
      value,
      summary: annotations.summary ?? '',
    }))
    return [...rules, ...known.filter(({ labels }) => labels[noticeLabel.name] === noticeLabel.value).map(noticed)]
  })
}

/** An alert that comes from Kitbag itself, which Prometheus does not know. */
function noticed({ labels, annotations, startsAt, status }: KnownAlert) {
  return {
    alert: labels.alertname ?? '',
    state: status.silencedBy.length > 0 ? ('silenced' as const) : ('firing' as const),
    severity: labels.severity ?? '',
    component: labels.component ?? '',
    machine: labels.machine ?? '',
    since: startsAt,
    value: '',
    summary: annotations.summary ?? '',
  }
}

async function runningAlerts(reach: Reach, node: MachineAccess): Promise<RunningAlert[]> {
  const { alerts = [] } = (await askPrometheus(reach, node, 'alerts', {})) as { alerts?: RunningAlert[] }
  return alerts
}
