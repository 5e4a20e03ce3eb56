import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { look, noBrowser } from '../../support/browser.ts'
import { isSigned } from '../../support/is-signed.ts'
import { type MailReceiver, startMailReceiver } from '../../support/mail-receiver.ts'
import { until } from '../../support/until.ts'
import { type ReceivedHook, startWebhookReceiver, type WebhookReceiver } from '../../support/webhook-receiver.ts'
import { ask, ownAddress } from './dns-box.ts'
import { type MonitoringBox, startMonitoringBox } from './monitoring-box.ts'

interface TargetRow {
  job: string
  component: string
  machine: string
  up: boolean
}

interface MetricRow {
  metric: string
  component: string
  machine: string
  value: number | null
}

interface AlertRow {
  alert: string
  state: string
}

const skip = process.platform !== 'linux' || process.getuid?.() !== 0

describe.skipIf(skip).each(['debian-13', 'debian-12'])('monitoring on %s', (image) => {
  let box: MonitoringBox
  let mail: MailReceiver
  let hook: WebhookReceiver
  let balancer = ''

  const machine = { image }
  const components = (replicas = 1) => ({
    web: {
      source: './app',
      runtime: 'nodejs',
      start: 'node server.js',
      port: 8080,
      replicas,
      machine,
      health: { http: '/healthz' },
      metrics: '/metrics',
    },
    db: { recipe: 'postgresql', machine },
  })
  const services = {
    loadBalancer: {
      listeners: [
        { port: 80, to: 'web' },
        { port: 443, protocol: 'https', to: 'web', certificates: ['web'] },
      ],
      machine,
    },
    certificates: { certificates: [{ name: 'web', hosts: ['watched.example'] }] },
    dns: { zone: 'watched.example', nameservers: 1, machine },
  }
  const section = (more: object = {}) => ({ interval: '5s', machine, ...more })
  const deploy = (more: object = {}, replicas = 1) =>
    box.deploy({ ...services, monitoring: section(more) }, { components: components(replicas) })

  const targets = async () => (await box.ask<{ targets: TargetRow[] }>('/targets')).targets
  const alerts = async () => (await box.ask<{ alerts: AlertRow[] }>('/alerts')).alerts
  const up = async () =>
    (await targets())
      .filter((row) => row.up)
      .map(({ job, machine: name }) => `${name} ${job}`)
      .sort()
  const get = (path: string) => fetch(`http://${balancer}${path}`).then((answer) => answer.text())

  const everything = [
    ...['db-1', 'dns-1', 'load-balancer-1', 'monitoring-1', 'web-1'].flatMap((name) => [
      `${name} container`,
      `${name} node`,
    ]),
    'db-1 postgresql',
    'dns-1 dns',
    'load-balancer-1 access-log',
    'load-balancer-1 load-balancer',
    'monitoring-1 alertmanager',
    'monitoring-1 prometheus',
    'web-1 application',
  ].sort()

  beforeAll(async () => {
    ;[mail, hook] = await Promise.all([startMailReceiver(), startWebhookReceiver()])
    box = await startMonitoringBox([image])
    await deploy()
    balancer = (await box.machine('load-balancer-1')).address
  })

  afterAll(async () => {
    await box?.close()
    await Promise.all([mail?.close(), hook?.close()])
  })

  test('everything that there is to look at answers', async () => {
    await until(async () => (await up()).length >= everything.length, 60_000)
    expect(await up()).toEqual(everything)
  })

  test('what people ask first has words, by component and by machine', async () => {
    const value = async (metric: string, component: string, by = 'component') => {
      const { metrics } = await box.ask<{ metrics: MetricRow[] }>(`/metrics?by=${by}`)
      return metrics.find((row) => row.metric === metric && row.component === component)?.value ?? null
    }
    await until(async () => {
      for (let i = 0; i < 20; i++) await get('/')
      for (let i = 0; i < 5; i++) await get('/error')
      return (await value('latency-p95', 'web')) !== null && ((await value('error-rate', 'web')) ?? 0) > 0
    }, 90_000)
    expect(await value('requests-per-second', 'web')).toBeGreaterThan(0)
    expect(await value('requests-per-second', 'web', 'machine')).toBeGreaterThan(0)
    expect(await value('error-rate', 'web')).toBeCloseTo(0.2, 0)
    expect(await value('latency-p95', 'web', 'machine')).toBeLessThan(5)
    for (const metric of ['cpu', 'memory', 'disk']) {
      expect(await value(metric, 'db'), metric).toBeGreaterThan(0)
      expect(await value(metric, 'db'), metric).toBeLessThan(1)
    }
    for (const metric of ['network-in', 'network-out']) expect(await value(metric, 'web', 'machine')).toBeGreaterThan(0)
    expect(await value('machines', 'web')).toBe(1)
  })

  test('name servers have words of their own', async () => {
    const { address } = await box.machine('dns-1')
    const value = async (metric: string) => {
      const { series } = await box.ask<{ series: { samples: { value: number | null }[] }[] }>(
        `/metrics/${metric}?component=dns`,
      )
      return series[0]?.samples[0]?.value ?? null
    }
    await until(async () => {
      for (let i = 0; i < 20; i++) await ask(address, 'watched.example', 'SOA')
      return ((await value('dns-queries-per-second')) ?? 0) > 1
    }, 90_000)
    expect(await value('dns-latency')).toBeLessThan(0.1)
    expect(await value('dns-servfail-rate')).toBe(0)
  })

  test('a figure over a time, and raw PromQL', async () => {
    const range = () =>
      box.ask<{ series: { component: string; samples: unknown[] }[]; unit: string }>(
        '/metrics/requests-per-second?component=web&last=1m&step=5s',
      )
    await until(async () => ((await range()).series[0]?.samples.length ?? 0) > 1, 60_000)
    expect(await range()).toMatchObject({ unit: 'requests per second', series: [{ component: 'web' }] })
    const raw = await box.ask<{ series: { labels: Record<string, string>; samples: { value: number }[] }[] }>(
      `/query?query=${encodeURIComponent('greetings_total')}`,
    )
    expect(raw.series[0]?.labels).toMatchObject({ component: 'web', machine: 'web-1', job: 'application' })
    expect(raw.series[0]?.samples[0]?.value).toBeGreaterThan(0)
    expect((await box.ask<{ series: unknown[] }>('/query?query=no_such_metric')).series).toEqual([])
    const pg = await box.ask<{ series: { samples: { value: number }[] }[] }>('/query?query=pg_up')
    expect(pg.series[0]?.samples[0]?.value).toBe(1)
  })

  test.skipIf(noBrowser)('a browser shows topology, signals and operations, and finds nothing to refuse', async () => {
    const { dom, complaints } = await look(`${box.plane.url}/deployments/watched`, box.plane.token)
    expect(complaints).toEqual([])
    for (const name of ['web', 'db', 'loadBalancer', 'dns', 'monitoring'])
      expect(dom).toContain(`data-component="${name}"`)
    expect(dom).toContain('web-1')
    const charts = [...dom.matchAll(/<figure data-chart="([^"]+)">.*?<\/figure>/gs)]
    expect(charts.map(([, title]) => title)).toEqual(expect.arrayContaining(['Traffic', 'Errors']))
    const traffic = charts.find(([, title]) => title === 'Traffic')?.[0]
    expect(traffic).toMatch(/<path class="stroke-0" d="M[\d.]+,[\d.]+/)
    expect(traffic).toMatch(/web <b>[\d.]+\/s/)
    expect(dom).toMatch(/deploy<\/td><td class="good">succeeded/)
  })

  test('a wrong expression is refused with its place, and one that only Prometheus finds wrong with its words', async () => {
    await expect(box.ask(`/query?query=${encodeURIComponent('rate(x[5m')}`)).rejects.toThrow(/character 10/)
    await expect(box.ask(`/query?query=${encodeURIComponent('sum("a")')}`)).rejects.toThrow(/expected type/)
    await expect(box.ask('/metrics/latenzy')).rejects.toThrow(/latency-p95/)
  })

  test('nobody gets figures from the network without the key', async () => {
    const web = await box.machine('web-1')
    const told = (way: ConnectionOptions) =>
      new Promise<string>((resolve) => {
        const socket = connectTls({ ...way, rejectUnauthorized: false }, () => {
          socket.write('GET /proxy?module=node HTTP/1.0\r\n\r\n')
        })
        let said = ''
        socket.on('data', (chunk) => {
          said += chunk.toString()
        })
        socket.on('error', (error) => resolve(error.message))
        socket.on('close', () => resolve(said))
      })
    expect(await told({ host: web.address, port: 9998 })).toMatch(/ECONNREFUSED/)
    // Nor does who may come there.
    const socket = await box.plane.parts.reach.connectTcp(web, web.address, 9998)
    expect(await told({ socket })).toMatch(/certificate required|bad certificate/)
    for (const [name, ports] of [
      ['web-1', [9100]],
      ['monitoring-1', [9090, 9093, 9100]],
      ['load-balancer-1', [8405, 3903]],
    ] as const) {
      const { stdout } = await box.run(name, 'ss -Hltn')
      for (const port of ports) expect(stdout).toMatch(new RegExp(`127\\.0\\.0\\.1:${port}\\b`))
      for (const port of ports) expect(stdout).not.toMatch(new RegExp(`(\\*|0\\.0\\.0\\.0|\\[::\\]):${port}\\b`))
    }
  })

  describe('alerts', () => {
    const name = 'greeted'
    const hookSecret = 'hook-secret-größer-1234'
    const signed = ({ headers, text }: ReceivedHook) =>
      isSigned(headers['x-kitbag-signature'] as string | undefined, text, hookSecret)
    const notify = () => ({
      ops: {
        mail: { to: 'ops@watched.example', from: 'kitbag@watched.example', server: `${own}:${mail.port}`, tls: false },
      },
      hook: { webhook: { url: `http://${own}:${hook.port}/alerts`, secret: '${secrets.HOOK_SECRET}' } },
      chat: { slack: { url: `http://${own}:${hook.port}/chat` } },
      pager: { pagerduty: { key: '${secrets.PAGER_KEY}', url: `http://${own}:${hook.port}/pager` } },
    })
    let own = ''

    beforeAll(async () => {
      own = await ownAddress(balancer)
      for (const [secret, value] of [
        ['HOOK_SECRET', hookSecret],
        ['PAGER_KEY', 'a1b2c3d4e5f6a7b8'],
      ])
        await box.plane.request('PUT', `/v1/deployments/watched/secrets/${secret}`, { value })
      await deploy({
        notify: notify(),
        alerts: [
          {
            name,
            expr: 'greetings_total > 0',
            for: '0s',
            severity: 'info',
            summary: 'Somebody was greeted',
            notify: ['ops', 'hook'],
          },
          { name: 'disk-full', enabled: false },
          { name: 'application-down', for: '0s', notify: 'hook' },
        ],
      })
    })

    test('an own alert is told to those that it names', async () => {
      await until(async () => mail.mails.length > 0 && hook.hooks.some(({ path }) => path === '/alerts'), 60_000)
      expect(mail.mails[0]).toMatchObject({ from: 'kitbag@watched.example', to: ['ops@watched.example'] })
      expect(mail.mails[0]?.text).toContain('Somebody was greeted')
      const [first] = hook.hooks.filter(({ path }) => path === '/alerts')
      expect(first && signed(first)).toBe(true)
      expect(first?.body).toMatchObject({
        status: 'firing',
        alerts: [{ labels: { alertname: name, component: 'web' } }],
      })
      expect(hook.hooks.some(({ path, body }) => path === '/chat' && JSON.stringify(body).includes(name))).toBe(false)
      expect(await alerts()).toContainEqual(expect.objectContaining({ alert: name, state: 'firing', component: 'web' }))
      const { rules } = await box.ask<{ rules: { alert: string }[] }>('/alert-rules')
      expect(rules.map(({ alert }) => alert)).not.toContain('disk-full')
      expect(rules.map(({ alert }) => alert)).toContain('machine-lost')
    })

    test('a silence keeps it from being told, until it ends', async () => {
      const { silences } = await box.ask<{ silences: { id: string }[] }>('/silences', 'POST', {
        alert: name,
        duration: '1h',
        comment: 'known',
      })
      await until(async () => (await alerts()).some((row) => row.alert === name && row.state === 'silenced'), 30_000)
      const known = await box.ask<{ silences: { id: string; alert: string; comment: string }[] }>('/silences')
      expect(known.silences).toMatchObject([{ id: silences[0]?.id, alert: name, comment: 'known' }])
      await box.ask(`/silences/${silences[0]?.id}`, 'DELETE')
      await until(async () => (await alerts()).some((row) => row.alert === name && row.state === 'firing'), 30_000)
      await expect(box.ask('/silences', 'POST', { alert: 'no-such' })).rejects.toThrow(/404.*there is no alert no-such/)
    })

    test('a test goes the way that alerts go, and says what each receiver answered', async () => {
      const sent = await box.ask<{ receivers: { receiver: string }[] }>('/alerts/test', 'POST', {})
      const inOrder = ['ops', 'hook', 'chat', 'pager'].map((one) =>
        sent.receivers.find(({ receiver }) => receiver === one),
      )
      expect(inOrder).toEqual([
        { receiver: 'ops', kind: 'mail', delivered: true, answer: 'accepted' },
        { receiver: 'hook', kind: 'webhook', delivered: true, answer: 'accepted' },
        { receiver: 'chat', kind: 'slack', delivered: true, answer: 'accepted' },
        { receiver: 'pager', kind: 'pagerduty', delivered: true, answer: 'accepted' },
      ])
      expect(mail.mails.at(-1)?.text).toContain('nothing is wrong')
      const tested = hook.hooks.findLast(({ path }) => path === '/alerts')
      expect([tested?.text.includes('nothing is wrong'), tested && signed(tested)]).toEqual([true, true])
      const pager = hook.hooks.findLast(({ path }) => path === '/pager')
      expect(pager?.body).toMatchObject({ routing_key: 'a1b2c3d4e5f6a7b8', event_action: 'trigger' })
      const chat = hook.hooks.findLast(({ path }) => path === '/chat')
      expect(JSON.stringify(chat?.body)).toContain('nothing is wrong')
      hook.answer(403)
      const refused = await box.ask<{ receivers: { answer: string }[] }>('/alerts/test', 'POST', { receiver: 'hook' })
      expect(refused.receivers).toEqual([
        { receiver: 'hook', kind: 'webhook', delivered: false, answer: expect.stringContaining('403') },
      ])
      expect(JSON.stringify(refused)).not.toContain(String(hook.port))
      hook.answer(200)
      await expect(box.ask('/alerts/test', 'POST', { receiver: 'hok' })).rejects.toThrow(/"nearest":"hook"/)
    })

    test('an application that is down is told, and that it is back', async () => {
      const down = async () => (await alerts()).some((row) => row.alert === 'application-down')
      await box.run('web-1', 'systemctl stop kitbag-web')
      try {
        await until(() => hook.hooks.some(({ text }) => text.includes('No machine of web serves')), 60_000)
        const told = hook.hooks.find(({ text }) => text.includes('No machine of web serves'))
        expect([told?.path, told && signed(told)]).toEqual(['/alerts', true])
        expect(await down()).toBe(true)
      } finally {
        await box.run('web-1', 'systemctl start kitbag-web')
      }
      await until(async () => !(await down()), 60_000)
    })
  })

  test('alerts go on while there is no control plane', async () => {
    const own = await ownAddress(balancer)
    const due = Math.ceil(Date.now() / 1000) + 15
    await deploy({
      notify: { hook: { webhook: { url: `http://${own}:${hook.port}/alone` } } },
      alerts: [{ name: 'alone', expr: `vector(time()) > ${due}`, for: '0s' }],
    })
    const told = () =>
      hook.hooks.some(({ path, body }) => path === '/alone' && JSON.stringify(body).includes('"alone"'))
    expect(told()).toBe(false)
    await box.without(() => until(told, 60_000))
    expect(await alerts()).toContainEqual(expect.objectContaining({ alert: 'alone', state: 'firing' }))
    await deploy()
  })

  test('a rule that only Prometheus finds wrong never replaces those in force', async () => {
    const broken = { ...services, monitoring: section({ alerts: [{ name: 'wrong', expr: 'sum("a")' }] }) }
    const ended = await box.deploy(broken, { components: components(), mayFail: true })
    expect(ended.error).toMatchObject({
      message: expect.stringContaining('rules.yml failed'),
      output: expect.stringMatching(/wrong.*expected type/s),
    })
    expect((await up()).length).toBe(everything.length)
  })

  test('a daemon that is killed comes back', async () => {
    for (const [name, unit] of [
      ['monitoring-1', 'prometheus'],
      ['monitoring-1', 'prometheus-alertmanager'],
      ['web-1', 'prometheus-exporter-exporter'],
      ['load-balancer-1', 'mtail'],
    ]) {
      const { stdout } = await box.run(
        name ?? '',
        `systemctl kill --signal=KILL ${unit} && systemctl show --property=NRestarts ${unit}`,
      )
      expect(stdout, unit).toMatch(/NRestarts=\d/)
    }
    await until(async () => (await up().catch(() => [])).length === everything.length, 60_000)
  })

  test('the end of certificates is known', async () => {
    const ends = async () =>
      (
        await box.ask<{ series: { labels: { certificate: string }; samples: { value: number }[] }[] }>(
          '/query?query=certificate_end_time_seconds',
        )
      ).series
    await until(async () => (await ends()).length > 0, 60_000)
    const [{ labels, samples }] = (await ends()) as [Awaited<ReturnType<typeof ends>>[number]]
    expect(labels).toMatchObject({ certificate: 'web', component: 'loadBalancer' })
    expect(samples[0]?.value).toBeGreaterThan(Date.now() / 1000)
  })

  test('a Prometheus that is away is told as such, by name, and the page shows the rest', async () => {
    const health = () => box.ask<{ status: string; findings: { subject: string; status: string }[] }>('/health')
    expect((await health()).status).toBe('healthy')
    await box.run('monitoring-1', 'systemctl stop prometheus')
    try {
      await expect(box.ask('/metrics')).rejects.toThrow(/service-failed.*monitoring-1/)
      expect(await health()).toMatchObject({
        status: 'down',
        findings: expect.arrayContaining([
          expect.objectContaining({ subject: 'prometheus on monitoring-1', status: 'down' }),
        ]),
      })
      const response = await box.plane.request('GET', '/deployments/watched')
      const page = await response.text()
      expect([response.status, page.includes('data-component="web"'), page.includes('monitoring: ')]).toEqual([
        200,
        true,
        true,
      ])
    } finally {
      await box.run('monitoring-1', 'systemctl start prometheus')
    }
    await until(async () => (await up().catch(() => [])).length === everything.length, 60_000)
  })

  test('targets follow the deployment; of two that look one is enough', async () => {
    await deploy({ replicas: 2 }, 2)
    await until(async () => (await up()).includes('web-2 application'), 60_000)
    await until(async () => (await up()).includes('monitoring-2 prometheus'), 60_000)
    const members = async () =>
      (await box.ask<{ series: unknown[] }>('/query?query=alertmanager_cluster_members%3D%3D2')).series.length
    await until(async () => (await members()) === 2, 90_000)
    await deploy({ replicas: 2 }, 1)
    await until(async () => !(await targets()).some((row) => row.machine === 'web-2' && row.up), 60_000)
    expect(await box.run('monitoring-1', 'grep -c web-2 /etc/prometheus/kitbag/prometheus.yml')).toMatchObject({
      stdout: '0\n',
    })
    await box.run('monitoring-1', 'systemctl stop prometheus')
    try {
      await until(async () => (await up()).includes('web-1 application'), 60_000)
    } finally {
      await box.run('monitoring-1', 'systemctl start prometheus')
    }
    await deploy({}, 1)
  })

  test('logs are found by level, time and text, on every machine', async () => {
    await box.run(
      'db-1',
      'logger --priority user.err --tag broken "Disk (A+B) is *gone*"; logger --priority user.info --tag fine "all is well"',
    )
    const lines = async (query: string) => {
      const response = await box.plane.request('GET', `/v1/deployments/watched/logs?all=true&${query}`)
      const text = await response.text()
      return text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as { machine: string; level: string; message: string })
    }
    const found = await lines(`level=err&since=5m&text=${encodeURIComponent('disk (a+b) is *')}`)
    expect(found).toMatchObject([{ machine: 'db-1', level: 'err', message: 'Disk (A+B) is *gone*' }])
    expect((await lines('level=err&since=5m')).map(({ message }) => message)).not.toContain('all is well')
    expect(await lines(`machine=web-1&text=${encodeURIComponent('(A+B)')}`)).toEqual([])
    expect(await lines(`until=1h&text=${encodeURIComponent('(A+B)')}`)).toEqual([])
    const kept = await box.run('web-1', 'ls -d /var/log/journal; cat /etc/systemd/journald.conf.d/kitbag.conf')
    expect(kept.stdout).toMatch(/\/var\/log\/journal[\s\S]*MaxRetentionSec=1209600000ms/)
  })

  test('a check finds nothing, and without the section nothing of it is left on machines', async () => {
    expect((await box.submit({ kind: 'check' })).result).toMatchObject({ drift: [] })
    await box.deploy(services, { components: components() })
    for (const name of ['web-1', 'db-1', 'load-balancer-1', 'dns-1']) {
      const { stdout } = await box.run(
        name,
        'ss -Hltnu; ls /var/lib/kitbag/extras; ls /etc/prometheus/kitbag; systemctl is-active prometheus-node-exporter prometheus-exporter-exporter mtail',
      )
      expect(stdout, name).not.toMatch(/:(9998|9100|3903|3904|9187)\b/)
      expect(stdout, name).not.toMatch(/^(exporter-gate|node-exporter|gate\.|active)/m)
    }
    expect((await box.submit({ kind: 'check' })).result).toMatchObject({ drift: [] })
    expect(await get('/')).toBe('hello')
  })
})
