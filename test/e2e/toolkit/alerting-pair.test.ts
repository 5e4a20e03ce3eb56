import { connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isSigned } from '../../support/is-signed.ts'
import { until } from '../../support/until.ts'
import { startWebhookReceiver, type WebhookReceiver } from '../../support/webhook-receiver.ts'
import { noMachines } from '../providers/local-box.ts'
import { type TestDeployment, testDeployment } from './deployment.ts'
import { ownAddress } from './dns-box.ts'

const secret = 'of two that look'
const machine = { cpu: 1, memory: '256MiB' }
const web = { source: './app', runtime: 'nodejs', start: 'node server.js', port: 8080, machine }

/** What a TLS server says to a client without a certificate. */
function greeting(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connectTls({ host, port, rejectUnauthorized: false }, () => socket.write('hello'))
    socket.on('error', (error) => resolve(error.message))
    socket.on('close', () => resolve('closed without a word'))
  })
}

describe.skipIf(noMachines)(`two that look${noMachines ? ` (${noMachines})` : ''}`, () => {
  let shop: TestDeployment
  let hook: WebhookReceiver

  const deploy = (toolkit: object) =>
    shop.deploy(JSON.stringify({ apiVersion: 'kitbag/v1', name: 'shop', components: { web }, toolkit }), 'one')

  interface Told {
    status: string
    alerts: { labels: Record<string, string>; annotations: Record<string, string> }[]
  }
  /** `firing jobs` ... in the order in which they came. */
  const told = () =>
    hook.hooks.map(({ body }) => `${(body as Told).status} ${(body as Told).alerts[0]?.labels.alertname}`)
  const isTold = (what: string) => until(() => told().includes(what))

  /** Leaves a figure on the web machine, as a job of its own would. */
  const figure = async (name: string, value: string) => {
    const path = `/var/lib/prometheus/node-exporter/${name}.prom`
    await (await shop.guest('web-1')).run(`echo '${name} ${value}' >${path}.new && mv ${path}.new ${path}`)
  }

  beforeAll(async () => {
    ;[shop, hook] = await Promise.all([testDeployment(), startWebhookReceiver()])
    await deploy({})
    const [{ address = '' } = {}] = await shop.machines('web')
    const url = `http://${await ownAddress(address)}:${hook.port}/`
    await shop.call('PUT', '/v1/deployments/shop/secrets/HOOK_SECRET', { value: secret })
    await deploy({
      monitoring: {
        replicas: 2,
        interval: '5s',
        machine,
        notify: { ops: { webhook: { url, secret: '${secrets.HOOK_SECRET}' } } },
        alerts: [
          { name: 'jobs', expr: 'jobs_waiting > 5', for: '0s' },
          { name: 'backup-late', expr: 'time() - backup_last_success_time_seconds > 86400', for: '0s' },
          { name: 'mails', expr: 'mails_waiting > 5', for: '0s' },
          { name: 'machine-lost', for: '0s' },
        ],
      },
      autoscaler: { component: 'web', max: 2, target: { promql: 'no_such_figure', value: 1 }, interval: '5s' },
    })
  })

  afterAll(async () => {
    const left = await shop?.close()
    await hook?.close()
    expect(left).toEqual([])
  })

  test('what one tells the other does not tell again, also when what signs is killed a moment before', async () => {
    await isTold('firing autoscaler-no-figures')
    for (const { name } of await shop.machines('monitoring'))
      await (await shop.guest(name)).run('systemctl kill --signal=KILL kitbag-webhook-signer')
    await figure('jobs_waiting', '7')
    await isTold('firing jobs')
    for (const { headers, text } of hook.hooks)
      expect(isSigned(headers['x-kitbag-signature'] as string, text, secret)).toBe(true)
    const alerts = () => shop.call<{ alerts: object[] }>('GET', '/v1/deployments/shop/monitoring/monitoring/alerts')
    // The one that is asked may find it a look later than the one that told.
    for (const alert of ['autoscaler-no-figures', 'jobs'])
      await expect
        .poll(async () => (await alerts()).alerts)
        .toContainEqual(expect.objectContaining({ alert, state: 'firing', component: 'web' }))
  })

  test.each([9094, 9096])(
    'nobody comes to them on port %d, and without the key nobody talks to them there',
    async (port) => {
      const { address = '' } = (await shop.machines('monitoring'))[0] ?? {}
      const one = await shop.guest('monitoring-1')
      const listening = await one.run(`ss -Hltn sport = :${port}`)
      expect(listening).toContain(`${address}:${port}`)
      expect(listening).not.toMatch(/(\*|0\.0\.0\.0|\[::\]):\d/)
      expect(await greeting(address, port)).toMatch(/ECONNREFUSED/)
      // Nor does who may come there.
      await one.run(`nft insert rule inet kitbag services tcp dport ${port} accept`)
      expect(await greeting(address, port)).toMatch(/certificate required|bad certificate|unknown ca|alert/)
    },
  )

  test('the Alertmanager of one whose Prometheus is gone hears of alerts from the other', async () => {
    const one = await shop.guest('monitoring-1')
    await one.run('systemctl stop prometheus')
    try {
      await figure('mails_waiting', '7')
      const known = () => one.run('amtool --alertmanager.url=http://127.0.0.1:9093 alert query --output=json')
      await until(async () => (await known()).includes('"mails"'))
      await isTold('firing mails')
    } finally {
      await one.run('systemctl start prometheus')
    }
  })

  test('one is killed: the other one tells of that, and of what happens then', async () => {
    const [one, two] = await Promise.all(['monitoring-1', 'monitoring-2'].map((name) => shop.guest(name)))
    // What the first has told, it says to the second some moments later; a silence that comes after it has come along then.
    const amtool = 'amtool --alertmanager.url=http://127.0.0.1:9093 silence'
    await one?.run(`${amtool} add --author=test --comment=order --duration=1m alertname=nobody`)
    await until(async () => (await two?.run(`${amtool} query --output=json`))?.includes('nobody') === true)
    // While they were set up each may have been lost to the other for a moment.
    const before = hook.hooks.length
    await one?.powerOff()
    await figure('backup_last_success_time_seconds', '1000000000')
    const lost = () =>
      hook.hooks
        .slice(before)
        .map(({ body }) => body as Told)
        .find(({ status, alerts }) => status === 'firing' && alerts[0]?.labels.alertname === 'machine-lost')
    await Promise.all([until(() => lost() !== undefined), isTold('firing backup-late')])
    expect(lost()?.alerts.map(({ annotations }) => annotations.summary)).toEqual(['monitoring-1 does not answer'])
    // Whoever had not heard that the first ones were told would have told them within 15 s, and that is over.
    for (const alert of ['autoscaler-no-figures', 'jobs', 'mails', 'backup-late'])
      expect([alert, told().filter((what) => what === `firing ${alert}`).length]).toEqual([alert, 1])
  })
})
