import { z } from 'zod'
import { durationPattern, parseDuration } from '../../lib/duration.ts'
import { KitbagError } from '../../model/errors.ts'
import type { ReadContext, ToolkitRoute } from '../contract.ts'
import { askAlertmanager, type KnownSilence } from './alertmanager-api.ts'
import { currentAlerts } from './current-alerts.ts'
import { asked } from './nodes.ts'
import { alertingRules } from './ready-alerts.ts'
import type { MonitoringSpec } from './schema.ts'

type Route = ToolkitRoute<MonitoringSpec>

const silenceSchema = z.object({
  id: z.string(),
  alert: z.string(),
  component: z.string().describe('Empty: of all'),
  machine: z.string().describe('Empty: of all'),
  from: z.string(),
  to: z.string(),
  comment: z.string(),
})

const listRoute: Route = {
  id: 'silences',
  method: 'get',
  path: '/silences',
  summary: 'Silences in force',
  response: z.object({ silences: z.array(silenceSchema) }),
  cli: [{ command: 'alerts', name: 'silences', summary: 'Show silences in force' }],
  async read(context) {
    const known = await asked(context, (node) =>
      askAlertmanager<KnownSilence[]>(context.reach, node, 'GET', '/silences'),
    )
    return { silences: known.filter(({ status }) => status.state !== 'expired').map(presented) }
  },
}

function presented({ id, matchers, startsAt, endsAt, comment }: KnownSilence) {
  const of = (label: string) => matchers.find(({ name }) => name === label)?.value ?? ''
  return {
    id,
    alert: of('alertname'),
    component: of('component'),
    machine: of('machine'),
    from: startsAt,
    to: endsAt,
    comment,
  }
}

const createRoute: Route = {
  id: 'silence.create',
  method: 'post',
  path: '/silences',
  summary: 'Keeps an alert from being told for a time',
  body: z.strictObject({
    alert: z.string().min(1).max(63).describe('Name of the alert'),
    component: z.string().max(60).optional().describe('Of this component only'),
    machine: z.string().max(60).optional().describe('Of this machine only'),
    duration: z.string().regex(durationPattern, 'must be a duration such as 30m or 2h').default('1h'),
    comment: z.string().max(500).default('').describe('Why'),
  }),
  response: z.object({ silences: z.array(z.object({ id: z.string() })) }),
  cli: [
    { command: 'alerts', name: 'silence', summary: 'Keep an alert from being told for a time', arguments: ['alert'] },
  ],
  async call(context, _, body) {
    const { alert, component, machine, duration, comment } = body as Record<string, string | undefined>
    await refuseUnknown(context, alert ?? '')
    const labels = Object.entries({ alertname: alert, component, machine })
    const now = Date.now()
    const silence = {
      matchers: labels.flatMap(([name, value]) =>
        value === undefined ? [] : [{ name, value, isRegex: false, isEqual: true }],
      ),
      startsAt: new Date(now).toISOString(),
      endsAt: new Date(now + (parseDuration(duration ?? '') ?? 0)).toISOString(),
      createdBy: 'kitbag',
      comment: comment || 'by kitbag',
    }
    // Several tell each other.
    const { silenceID } = await asked(context, (node) =>
      askAlertmanager<{ silenceID: string }>(context.reach, node, 'POST', '/silences', silence),
    )
    return { silences: [{ id: silenceID }] }
  },
}

/** Of rules, and of what Kitbag itself tells at this moment. */
async function refuseUnknown(context: ReadContext<MonitoringSpec>, found: string): Promise<void> {
  const rules = alertingRules(context.spec).map(({ alert }) => alert)
  if (rules.includes(found)) return
  const told = (await currentAlerts(context)).map(({ alert }) => alert)
  const allowed = [...new Set([...rules, ...told])]
  if (allowed.includes(found)) return
  throw new KitbagError('not-found', `there is no alert ${found}`, {
    problems: [{ path: 'alert', message: 'unknown alert', found, allowed }],
  })
}

const deleteRoute: Route = {
  id: 'silence.delete',
  method: 'delete',
  path: '/silences/{silence}',
  summary: 'Ends a silence',
  response: z.object({ ended: z.string() }),
  cli: [{ command: 'alerts', name: 'unsilence', summary: 'End a silence' }],
  async call(context, { silence = '' }) {
    const path = `/silence/${encodeURIComponent(silence)}`
    await asked(context, (node) => askAlertmanager(context.reach, node, 'DELETE', path))
    return { ended: silence }
  },
}

export const silenceRoutes: Route[] = [listRoute, createRoute, deleteRoute]
