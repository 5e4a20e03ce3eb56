import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { routes } from '../../../src/toolkit/monitoring/routes.ts'
import { monitoring } from '../../../src/toolkit/monitoring/service.ts'
import { type Daemons, startDaemons } from '../../support/daemons.ts'

let daemons: Daemons
const context = (...names: string[]) => daemons.context(...names)

beforeAll(async () => {
  daemons = await startDaemons()
})
beforeEach(() => {
  daemons.behaviours.clear()
  daemons.posted.length = 0
})
afterAll(() => daemons?.close())

describe('what other services found', () => {
  const notice = {
    name: 'healing-stopped',
    level: 'alert' as const,
    labels: { component: 'web' },
    message: '3 of 4 machines of web are not well at once',
    service: 'healing',
    since: Date.parse('2026-11-21T12:00:00Z'),
  }

  test('is given to every Alertmanager, and ends when it is over', async () => {
    for (const name of ['monitoring-1', 'monitoring-2']) daemons.behaviours.set(name, () => ({ body: '' }))
    const before = Date.now()
    await monitoring.notices?.tell(context('monitoring-1', 'monitoring-2'), [{ ...notice, lasts: true }])
    await monitoring.notices?.tell(context('monitoring-1'), [{ ...notice, lasts: false }])
    expect(daemons.posted.map(({ machine, path }) => `${machine} ${path}`).sort()).toEqual([
      'monitoring-1 /api/v2/alerts',
      'monitoring-1 /api/v2/alerts',
      'monitoring-2 /api/v2/alerts',
    ])
    const [first] = (daemons.posted[0]?.body ?? []) as { endsAt: string }[]
    const [last] = (daemons.posted.at(-1)?.body ?? []) as { endsAt: string }[]
    expect(first).toMatchObject({
      labels: {
        alertname: 'healing-stopped',
        severity: 'critical',
        component: 'web',
        service: 'healing',
        source: 'kitbag',
      },
      annotations: { summary: notice.message },
      startsAt: '2026-11-21T12:00:00.000Z',
    })
    expect(Date.parse(first?.endsAt ?? '')).toBeGreaterThan(before + 120_000)
    expect(Date.parse(last?.endsAt ?? '')).toBeLessThanOrEqual(Date.now())
  })

  test('is told where one of two takes it, and is not where none does', async () => {
    daemons.behaviours.set('monitoring-2', () => ({ body: '' }))
    await monitoring.notices?.tell(context('monitoring-1', 'monitoring-2'), [{ ...notice, lasts: true }])
    expect(daemons.posted).toHaveLength(1)
    await expect(monitoring.notices?.tell(context('monitoring-1'), [{ ...notice, lasts: true }])).rejects.toThrow(
      /monitoring-1: connection refused/,
    )
    await expect(monitoring.notices?.tell(context(), [{ ...notice, lasts: true }])).rejects.toThrow(/no machine/)
  })

  /** Alertmanager knows it, beside an alert of a rule; Prometheus knows no alert. */
  function known(): void {
    const known = [
      {
        labels: { alertname: 'healing-stopped', severity: 'critical', source: 'kitbag', component: 'web' },
        annotations: { summary: notice.message },
        startsAt: '2026-11-21T12:00:00Z',
        status: { state: 'active', silencedBy: [] },
      },
      { labels: { alertname: 'latency' }, annotations: {}, startsAt: '', status: { state: 'active', silencedBy: [] } },
    ]
    daemons.behaviours.set('monitoring-1', (path) => ({
      body: JSON.stringify(path.includes('/v1/') ? { data: { alerts: [] } } : known),
    }))
  }

  test('is listed among the alerts', async () => {
    known()
    expect(await routes.find(({ id }) => id === 'alerts')?.read?.(context('monitoring-1'), {}, {})).toEqual({
      alerts: [
        {
          alert: 'healing-stopped',
          state: 'firing',
          severity: 'critical',
          component: 'web',
          machine: '',
          since: '2026-11-21T12:00:00Z',
          value: '',
          summary: notice.message,
        },
      ],
    })
  })

  test('can be silenced while it lasts, by its name', async () => {
    known()
    const silence = (alert: string) =>
      routes
        .find(({ id }) => id === 'silence.create')
        ?.call?.(context('monitoring-1'), {}, { alert, duration: '1h', comment: '' })
    await expect(silence('healing-stopped')).resolves.toBeDefined()
    await expect(silence('healing-stoped')).rejects.toMatchObject({
      code: 'not-found',
      problems: [expect.objectContaining({ allowed: expect.arrayContaining(['healing-stopped', 'latency']) })],
    })
  })
})
