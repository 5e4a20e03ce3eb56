import { X509Certificate } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { ownKeyPair } from '../../../src/lib/own-key-pair.ts'
import { alertmanagerText } from '../../../src/toolkit/monitoring/alertmanager.ts'
import { markIn, prometheusFiles } from '../../../src/toolkit/monitoring/configuration.ts'
import { plan, validate } from '../../../src/toolkit/monitoring/plan.ts'
import { prepare } from '../../../src/toolkit/monitoring/prepare.ts'
import { promqlFault } from '../../../src/toolkit/monitoring/promql.ts'
import { alertingRules, readyAlerts } from '../../../src/toolkit/monitoring/ready-alerts.ts'
import { recordingRules } from '../../../src/toolkit/monitoring/recording-rules.ts'
import { monitoringSchema } from '../../../src/toolkit/monitoring/schema.ts'
import { outcomeIn } from '../../../src/toolkit/monitoring/test-alert.ts'
import { rangeOf } from '../../../src/toolkit/monitoring/time-range.ts'
import { words } from '../../../src/toolkit/monitoring/words.ts'
import { component } from '../planner/world.ts'

const seed = 's'.repeat(40)
const alerts = (...list: object[]) =>
  monitoringSchema.parse({ alerts: list, notify: { ops: { webhook: { url: 'http://ops.example' } } } })

describe('alerts', () => {
  test('every ready-made and every recorded expression is PromQL, and words name recorded series', () => {
    for (const { expr, above = 0 } of readyAlerts) expect(promqlFault(expr(above))).toBeUndefined()
    for (const { expr } of recordingRules) expect(promqlFault(expr)).toBeUndefined()
    const recorded = recordingRules.map(({ record }) => record)
    for (const word of words) {
      expect(recorded).toContain(word.component)
      if (word.machine && word.name !== 'machines') expect(recorded).toContain(word.machine)
    }
  })

  test('ready-made ones are tuned and switched off by name', () => {
    const before = alertingRules({ alerts: [] }).map(({ alert }) => alert)
    const { alerts: changed } = alerts(
      { name: 'latency', above: 0.25, for: '10m', notify: 'ops' },
      { name: 'disk-full', enabled: false },
    )
    const rules = alertingRules({ alerts: changed })
    expect(rules.map(({ alert }) => alert)).toEqual(before.filter((name) => name !== 'disk-full'))
    expect(rules.find(({ alert }) => alert === 'latency')).toMatchObject({
      expr: 'component:request_duration_seconds:p95 > 0.25',
      for: '600000ms',
      labels: { severity: 'warning', notify: ',ops,' },
    })
  })

  test.for([
    [{ name: 'slow', expr: 'rate(x[5m' }, 'alerts.0.expr', 'is no PromQL'],
    [{ name: 'slow', expr: 'up == ' }, 'alerts.0.expr', 'at its end'],
    [{ name: 'slow' }, 'alerts.0.expr', 'needs an expr'],
    [{ name: 'latenci' }, 'alerts.0.expr', 'did you mean the ready-made latency'],
    [{ name: 'latency', expr: 'up' }, 'alerts.0.expr', 'is ready-made'],
    [{ name: 'machine-lost', above: 3 }, 'alerts.0.above', 'compares with no number'],
    [{ name: 'slow', expr: 'up', notify: 'opps' }, 'alerts.0.notify', 'no receiver opps'],
  ] as const)('%j is refused', ([alert, path, message]) => {
    expect(validate(alerts(alert), [])).toEqual([
      expect.objectContaining({ path, message: expect.stringContaining(message) }),
    ])
  })

  test('a receiver has exactly one kind, and its secrets come by reference', () => {
    const parse = (receiver: object) => monitoringSchema.safeParse({ notify: { ops: receiver } }).success
    expect(parse({ webhook: { url: 'https://ops.example', token: { $ref: 'secrets.TOKEN' } } })).toBe(true)
    expect(parse({ webhook: { url: 'https://ops.example', token: 'in clear' } })).toBe(false)
    expect(parse({})).toBe(false)
    expect(parse({ webhook: { url: 'https://a.example' }, slack: { url: 'https://b.example' } })).toBe(false)
    expect(parse({ mail: { to: 'ops@a.example', from: 'a@b.example', server: 'mail.example' } })).toBe(false)
  })

  test('what the log says of a receiver, of old and of new Alertmanagers', () => {
    const old =
      'ts=2026-11-21 caller=notify.go:743 level=debug component=dispatcher receiver=test/ops integration=webhook[0] msg="Notify success" attempts=1'
    const fresh =
      'time=2026-11-21 level=DEBUG source=notify.go:875 msg="Notify success" component=dispatcher receiver=test/ops integration=webhook[0] attempts=1'
    const failed =
      'level=WARN msg="Notify attempt failed, will retry later" component=dispatcher receiver=test/ops integration=webhook[0] attempts=1 err="Post \\"http://ops.example/SECRET\\": refused"'
    const final = 'level=ERROR msg="Notify for alerts failed" err="test/ops/slack[0]: unrecoverable: 403"'
    for (const line of [old, fresh])
      expect(outcomeIn(line, 'test/ops')).toEqual({ delivered: true, answer: 'accepted' })
    expect(outcomeIn(failed, 'test/ops')).toEqual({ delivered: false, answer: 'Post "[url]": refused' })
    expect(outcomeIn(final, 'test/ops')).toMatchObject({ delivered: false })
    expect(outcomeIn(fresh, 'test/op')).toBeUndefined()
    expect(outcomeIn(fresh, 'ops')).toBeUndefined()
  })
})

describe('configuration', () => {
  const parameters = {
    interval: 5000,
    alerts: [],
    seed,
    targets: [
      { job: 'node', component: 'web', module: 'node', machines: [{ name: 'web-1', address: '10.0.0.1' }] },
      {
        job: 'application',
        component: 'web',
        port: 8080,
        path: '/m',
        machines: [{ name: 'web-1', address: 'fd00::1' }],
      },
    ],
  }

  test('is the same for the same, and bears a mark that tells one from another', () => {
    const { configuration } = prometheusFiles(parameters)
    expect(prometheusFiles(parameters).configuration).toBe(configuration)
    const other = prometheusFiles({ ...parameters, interval: 6000 }).configuration
    expect(markIn(configuration)).toMatch(/^[0-9a-f]{16}$/)
    expect(markIn(other)).not.toBe(markIn(configuration))
    const targets = JSON.parse(configuration).scrape_configs.map(
      (one: { static_configs: { targets: string[] }[] }) => one.static_configs[0]?.targets,
    )
    expect(targets).toEqual([['10.0.0.1:9998'], ['[fd00::1]:8080']])
  })

  test('alerts go to every Alertmanager, those of other machines by the key', () => {
    const doors = (...addresses: string[]) => {
      const machines = addresses.map((address, i) => ({ name: `monitoring-${i + 1}`, address }))
      const targets = [{ job: 'alertmanager', component: 'monitoring', module: 'alertmanager', machines }]
      const { alerting } = JSON.parse(prometheusFiles({ ...parameters, targets }).configuration)
      return alerting.alertmanagers.map((one: { scheme?: string; static_configs: { targets: string[] }[] }) => [
        one.scheme,
        one.static_configs[0]?.targets,
      ])
    }
    expect(doors('10.0.0.1')).toEqual([[undefined, ['127.0.0.1:9093']]])
    expect(doors('10.0.0.1', 'fd00::2')).toEqual([
      [undefined, ['127.0.0.1:9093']],
      ['https', ['10.0.0.1:9096', '[fd00::2]:9096']],
    ])
  })

  test('an alert without receivers of its own is for all, one with them for those', () => {
    const notify = monitoringSchema.parse({
      notify: { ops: { webhook: { url: 'http://a.example' } }, pager: { slack: { url: 'http://b.example' } } },
    }).notify
    const { route, receivers } = JSON.parse(alertmanagerText({ notify, repeat: 1000 }))
    const told = (labels: Record<string, string>) =>
      route.routes
        .filter(({ matchers }: { matchers: string[] }) =>
          matchers.every((matcher) => {
            const [, label = '', operator, text = ''] = /^(\w+)(=~|!=|=)"(.*)"$/.exec(matcher) ?? []
            const value = labels[label] ?? ''
            return operator === '=~' ? new RegExp(`^(?:${text})$`).test(value) : (value === text) === (operator === '=')
          }),
        )
        .map(({ receiver }: { receiver: string }) => receiver)
    expect(told({ alertname: 'a' })).toEqual(['ops', 'pager'])
    expect(told({ alertname: 'a', notify: ',pager,' })).toEqual(['pager'])
    expect(told({ alertname: 'a', kitbag_test: 'ops' })[0]).toBe('test/ops')
    expect(receivers.map(({ name }: { name: string }) => name)).toContain('test/pager')
  })
})

describe('the key of exporters', () => {
  test('is made of the seed alone, and its certificate verifies itself', () => {
    const { certificate, key } = ownKeyPair(seed, 'exporters')
    expect(ownKeyPair(seed, 'exporters')).toEqual({ certificate, key })
    expect(ownKeyPair('t'.repeat(40), 'exporters').certificate).not.toBe(certificate)
    const read = new X509Certificate(certificate)
    expect(read.verify(read.publicKey)).toBe(true)
    expect([read.subject, read.subjectAltName, read.ca]).toEqual(['CN=kitbag', 'DNS:kitbag', true])
    expect(read.checkHost('kitbag')).toBe('kitbag')
  })
})

describe('the plan', () => {
  const components = [
    component('web', 'nodejs', { metrics: { path: '/metrics', port: 8080 } }),
    component('db', 'postgresql'),
    {
      ...component('loadBalancer', 'haproxy'),
      service: 'loadBalancer',
      settings: { listeners: [{ backend: 'shop', servers: { $ref: 'web.machines' } }] },
    },
  ]
  const made = plan({ name: 'monitoring', spec: monitoringSchema.parse({}), components })

  test('puts the same onto every machine, and beside it what suits it', () => {
    const names = (of: string) => made.extras?.filter((extra) => extra.component === of).map(({ name }) => name)
    expect(names('web')).toEqual(['node-exporter', 'journal', 'exporter-gate'])
    expect(names('db')?.[0]).toBe('postgresql-metrics')
    expect(names('loadBalancer')?.[0]).toBe('haproxy-metrics')
    expect(names('monitoring')?.[0]).toBe('alertmanager')
  })

  test('what an application tells of itself comes through the same gate, from where its users come too', async () => {
    const gate = made.extras?.find((extra) => extra.component === 'web' && extra.name === 'exporter-gate')
    const parameters = { ...gate?.settings, seed }
    const input = { extra: 'exporter-gate', parameters, address: 'fd00::3' }
    const { configuration } = (await prepare(input as never)).parameters as { configuration: string }
    const { modules } = JSON.parse(configuration)
    expect(modules.application.http).toEqual({ address: 'fd00::3', port: 8080, path: '/metrics', verify: false })
    expect(modules.node.http).toEqual({ port: 9100, path: '/metrics', verify: false })
  })

  test('a broker is asked twice: for the sum of all, and queue by queue for what has an end', () => {
    const queue = { ...component('queue', 'nodejs'), recipe: 'rabbitmq' }
    const { components: own } = plan({ name: 'monitoring', spec: monitoringSchema.parse({}), components: [queue] })
    const machines = [{ name: 'queue-1', address: '10.0.0.7' }]
    const targets = ((own[0]?.settings.targets ?? []) as unknown as { job: string }[])
      .filter(({ job }) => job.startsWith('rabbitmq'))
      .map((target) => ({ ...target, component: 'queue', machines }))
    const { scrape_configs: scraped } = JSON.parse(
      prometheusFiles({ interval: 5000, alerts: [], seed, targets }).configuration,
    )
    expect(scraped.map((one: { job_name: string; params: object }) => [one.job_name, one.params])).toEqual([
      ['queue rabbitmq', { module: ['rabbitmq'] }],
      [
        'queue rabbitmq-queues',
        { module: ['rabbitmq-queues'], family: ['queue_coarse_metrics', 'queue_consumer_count'] },
      ],
    ])
  })

  test('applications that share a machine are told apart behind its one gate', () => {
    const api = component('api', 'nodejs', { metrics: { path: '/figures', port: 8081 }, placement: { with: 'web' } })
    const { extras, components: own } = plan({
      name: 'monitoring',
      spec: monitoringSchema.parse({}),
      components: [...components, api],
    })
    const gates = extras?.filter(({ name }) => name === 'exporter-gate')
    expect(gates?.map((extra) => extra.component)).not.toContain('api')
    expect(gates?.find((extra) => extra.component === 'web')?.settings.modules).toMatchObject({
      application: { port: 8080, path: '/metrics' },
      'application-api': { port: 8081, path: '/figures' },
    })
    const targets = own[0]?.settings.targets as { job: string; component: string; module: string }[]
    expect(targets.filter((target) => target.component === 'api')).toMatchObject([
      { job: 'application', module: 'application-api' },
    ])
  })

  test('a broker, or whatever else has figures of its own, is looked at whichever recipe it has', () => {
    const metrics = { path: '/metrics', port: 15_692 }
    const others = [component('queue', 'mesh', { metrics, port: 5672 }), component('db', 'postgresql', { metrics })]
    const { components, extras = [] } = plan({
      name: 'monitoring',
      spec: monitoringSchema.parse({}),
      components: others,
    })
    const targets = components[0]?.settings.targets as { job: string; component: string; module: string }[]
    for (const { name } of others) {
      expect(targets).toContainEqual(
        expect.objectContaining({ job: 'application', component: name, module: 'application' }),
      )
      const gate = extras.find((extra) => extra.component === name && extra.name === 'exporter-gate')
      expect(gate?.settings.modules).toMatchObject({ application: metrics, node: {} })
    }
    expect(targets.filter(({ component: of }) => of === 'db').map(({ job }) => job)).toContain('postgresql')
  })

  test('scrapes all of it, and knows whose figures a backend has', () => {
    const targets = made.components[0]?.settings.targets as { job: string; component: string; backends?: object }[]
    expect(targets.filter(({ component: of }) => of === 'web').map(({ job }) => job)).toEqual([
      'node',
      'container',
      'application',
    ])
    expect(targets.find(({ job }) => job === 'load-balancer')?.backends).toEqual({ shop: 'web' })
  })
})

describe('a time', () => {
  const now = Date.parse('2026-11-21T12:00:00Z')
  test('is now unless one is asked for', () => {
    expect(rangeOf({}, now)).toBeUndefined()
    expect(rangeOf({ last: '1h' }, now)).toEqual({ from: now - 3_600_000, to: now, step: 36_000 })
    expect(rangeOf({ from: '2026-11-21T11:59:00Z', step: '5s' }, now)).toEqual({
      from: now - 60_000,
      to: now,
      step: 5000,
    })
  })
  test('that ends before it begins, or has too many steps, is refused', () => {
    expect(() => rangeOf({ from: '2026-11-21T13:00:00Z' }, now)).toThrow(/begins where it ends/)
    expect(() => rangeOf({ last: '30d', step: '1s' }, now)).toThrow(/more than 11000/)
  })
})
