import { KitbagError } from '../../model/errors.ts'
import type { MachineAccess } from '../../model/machine.ts'
import type { ControlContext, Notice, ToolkitNotices } from '../contract.ts'
import { askAlertmanager } from './alertmanager-api.ts'
import type { MonitoringSpec } from './schema.ts'

/** Label of alerts that come from Kitbag itself rather than from a rule. */
export const noticeLabel = { name: 'source', value: 'kitbag' }

/** Milliseconds for which Alertmanager takes a notice as lasting; it is renewed more often. */
const lasting = 5 * 60_000

/** Gives Alertmanager what other services found, to tell it those who are told of alerts. */
export const notices: ToolkitNotices<MonitoringSpec> = {
  async tell({ service, reach, machines, signal }: ControlContext<MonitoringSpec>, told: Notice[]) {
    if (machines.length === 0) throw new KitbagError('conflict', `${service} has no machine that was ready`)
    const alerts = told.map((notice) => alertOf(notice, Date.now()))
    const post = (node: MachineAccess) => askAlertmanager(reach, node, 'POST', '/alerts', alerts, signal)
    // Each has to know of it, like of Prometheus' alerts: they tell each other what they told only. One that is away does no harm.
    const answers = await Promise.allSettled(machines.map(post))
    const failed = answers.filter((answer) => answer.status === 'rejected')
    if (failed.length === answers.length && failed[0]) throw failed[0].reason
  },
}

function alertOf({ name, level, labels, message, service, since, lasts }: Notice, now: number) {
  const severity = level === 'alert' ? 'critical' : 'warning'
  return {
    labels: { ...labels, alertname: name, severity, service, [noticeLabel.name]: noticeLabel.value },
    annotations: { summary: message },
    startsAt: new Date(since).toISOString(),
    endsAt: new Date(lasts ? now + lasting : now).toISOString(),
  }
}
