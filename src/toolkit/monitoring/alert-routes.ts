import { z } from 'zod'
import type { ToolkitRoute } from '../contract.ts'
import { currentAlerts } from './current-alerts.ts'
import { alertingRules, readyAlerts } from './ready-alerts.ts'
import type { MonitoringSpec } from './schema.ts'
import { testReceivers } from './test-alert.ts'

type Route = ToolkitRoute<MonitoringSpec>

const alertSchema = z.object({
  alert: z.string(),
  state: z.enum(['pending', 'firing', 'silenced']).describe('pending: not yet for as long as its rule asks'),
  severity: z.string(),
  component: z.string(),
  machine: z.string(),
  since: z.string(),
  value: z.string(),
  summary: z.string(),
})

const alertsRoute: Route = {
  id: 'alerts',
  method: 'get',
  path: '/alerts',
  summary: 'Alerts that fire, or are about to',
  response: z.object({ alerts: z.array(alertSchema) }),
  cli: [{ command: 'alerts', name: 'list', summary: 'Show alerts that fire, or are about to' }],
  async read(context) {
    return { alerts: await currentAlerts(context) }
  },
}

const rulesRoute: Route = {
  id: 'alertRules',
  method: 'get',
  path: '/alert-rules',
  summary: 'Alerts that there are, as the release has them',
  response: z.object({
    rules: z.array(
      z.object({
        alert: z.string(),
        readyMade: z.boolean(),
        severity: z.string(),
        for: z.string(),
        expr: z.string(),
        notify: z.string().describe('Receivers; empty: all'),
      }),
    ),
  }),
  cli: [{ command: 'alerts', name: 'rules', summary: 'Show the alerts that there are' }],
  async read({ spec }) {
    return {
      rules: alertingRules(spec).map(({ alert, expr, for: time, labels }) => ({
        alert,
        readyMade: readyAlerts.some(({ name }) => name === alert),
        severity: labels.severity ?? '',
        for: time,
        expr,
        notify: (labels.notify ?? '').split(',').filter(Boolean).join(', '),
      })),
    }
  },
}

const testRoute: Route = {
  id: 'alerts.test',
  method: 'post',
  path: '/alerts/test',
  summary: 'Sends a test alert to receivers the way that alerts go, and says what became of it',
  body: z.strictObject({ receiver: z.string().max(60).optional().describe('Default: every one') }),
  response: z.object({
    receivers: z.array(
      z.object({ receiver: z.string(), kind: z.string(), delivered: z.boolean(), answer: z.string() }),
    ),
  }),
  cli: [{ command: 'alerts', name: 'test', summary: 'Send a test alert, and say what each receiver answered' }],
  async call(context, _, { receiver }) {
    return { receivers: await testReceivers(context, receiver as string | undefined) }
  },
}

export const alertRoutes: Route[] = [alertsRoute, rulesRoute, testRoute]
