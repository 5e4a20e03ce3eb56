import { Agent, get } from 'node:https'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { blueprintFolder } from '../../support/blueprint-folder.ts'
import { type Installation, startInstallation } from '../../support/installation.ts'
import { smallApplication } from '../../support/small-application.ts'
import { until } from '../../support/until.ts'
import { startWebhookReceiver, type WebhookReceiver } from '../../support/webhook-receiver.ts'
import { noMachines } from '../providers/local-box.ts'
import { ask, ownAddress } from '../toolkit/dns-box.ts'

const title = 'names, traffic, certificates and alerts go on; autoscaler and healer take up after its return'

/** Seconds for which there is no control plane. */
const away = Number(process.env.KITBAG_TEST_OFF_SECONDS ?? 15)

const host = 'www.shop.example'
const small = { machine: { cpu: 0.5, memory: '256MiB' } }

const toolkit = (hook: string) => ({
  dns: {
    zone: 'shop.example',
    nameservers: 2,
    ttl: '1s',
    records: [{ name: 'www', type: 'A', value: '${loadBalancer.addresses}' }],
    ...small,
  },
  certificates: { certificates: [{ name: 'web', hosts: [host] }] },
  loadBalancer: { listeners: [{ port: 443, protocol: 'https', certificates: ['web'], to: 'web' }], ...small },
  monitoring: {
    interval: '5s',
    notify: { hook: { webhook: { url: hook } } },
    alerts: [{ name: 'name-server-gone', expr: 'up{job="node",machine="dns-2"} == 0', for: '0s' }],
  },
  autoscaler: [
    {
      component: 'web',
      min: 1,
      max: 2,
      target: { metric: 'requests-per-second-per-machine', value: 10 },
      interval: '1s',
      cooldown: { out: '1s', in: '10m' },
      stabilisation: '10m',
      warmUp: '1s',
    },
  ],
  // Later than the autoscaler decides: it waits for operations that are under way.
  healing: { after: '20s' },
})

/** Requests one after the other, on connections that stay, each asked for by its name and checked against the authority. */
function client(address: string, ca: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const failures: string[] = []
  let answered = 0
  let over = false
  let pause = 200
  const once = () =>
    new Promise<void>((resolve) => {
      const failed = (error: Error) => {
        failures.push(error.message)
        resolve()
      }
      const sent = get(`https://${address}/`, { agent, ca, servername: host, headers: { host }, timeout: 60_000 })
      sent.on('timeout', () => sent.destroy(new Error('no answer within 60 s')))
      sent.on('error', failed)
      sent.on('response', (response) => {
        response.resume()
        response.on('error', failed)
        response.on('end', () => {
          if (response.statusCode === 200) answered++
          else failures.push(`status ${response.statusCode}`)
          resolve()
        })
      })
    })
  const asking = (async () => {
    while (!over) {
      await once()
      await new Promise((resume) => setTimeout(resume, pause))
    }
  })()
  return {
    failures,
    answered: () => answered,
    /** More than one machine is to bear. */
    hurry() {
      pause = 8
    },
    async stop() {
      over = true
      await asking
      agent.destroy()
    },
  }
}

describe.skipIf(noMachines)(`no control plane for ${away} s${noMachines ? ` (${noMachines})` : ''}`, () => {
  let box: Installation
  let hook: WebhookReceiver
  const call = <T>(path: string) => box.client.json<T>('GET', `/v1/deployments/small/${path}`)
  const addressOf = async (component: string) =>
    (await box.show('small')).machines.find((machine) => machine.component === component)?.address ?? ''

  beforeAll(async () => {
    box = await startInstallation()
    hook = await startWebhookReceiver()
    const { 'blueprint.yaml': text = '', ...files } = smallApplication('hello')
    const deploy = async (url: string) => {
      const whole = `${text}toolkit: ${JSON.stringify(toolkit(url))}\n`
      const folder = blueprintFolder({ 'blueprint.yaml': whole, ...files })
      try {
        expect((await box.finished(await box.deploy('small', folder.blueprint))).error).toBeNull()
      } finally {
        folder.remove()
      }
    }
    await deploy('http://192.0.2.1/')
    await deploy(`http://${await ownAddress(await addressOf('loadBalancer'))}:${hook.port}/gone`)
  })

  afterAll(async () => {
    await hook?.close()
    await box?.stop()
  })

  test(title, { timeout: away * 1000 + 600_000 }, async () => {
    const balancer = await addressOf('loadBalancer')
    const nameServer = await addressOf('dns')
    const { certificate: ca } = await call<{ certificate: string }>('certificates/certificates/authority')
    const guest = await box.guest('small', 'dns-2')
    const web = client(balancer, ca)
    let questions = 0
    const told = () => JSON.stringify(hook.hooks).includes('name-server-gone')
    try {
      await box.plane.kill()
      const left = Date.now()
      await guest.powerOff()
      await until(
        async () => {
          expect(await ask(nameServer, host, 'A')).toEqual([balancer])
          questions++
          return told() && Date.now() - left > away * 500
        },
        away * 500 + 180_000,
      )
      console.log(`told of the alert after ${((Date.now() - left) / 1000).toFixed(1)} s at the latest`)
      web.hurry()
      await until(
        async () => {
          expect(await ask(nameServer, host, 'A')).toEqual([balancer])
          questions++
          return Date.now() - left > away * 1000
        },
        away * 1000 + 120_000,
      )
      const seconds = Math.round((Date.now() - left) / 1000)
      await box.plane.start()
      const back = Date.now()
      const since = () => `${((Date.now() - back) / 1000).toFixed(1)} s`
      const seen = { healer: '', autoscaler: '' }
      await until(async () => {
        const { items } = await call<{ items: { message: string }[] }>('healing/healing/events')
        if (items.some(({ message }) => message.includes('dns-2 is stopped'))) seen.healer ||= since()
        const { decisions } = await call<{ decisions: { data: { from: number; to: number } }[] }>(
          'autoscalers/autoscaler-web/decisions',
        )
        if (decisions.some(({ data }) => data.from === 1 && data.to === 2)) seen.autoscaler ||= since()
        return seen.healer !== '' && seen.autoscaler !== ''
      })
      console.log(`after ${seconds} s away: taken up after ${JSON.stringify(seen)}; ${questions} questions answered`)
      await until(async () => {
        const { machines, operation } = await box.show('small')
        const ready = machines.filter(({ status }) => status === 'ready').map(({ component }) => component)
        const whole =
          ready.filter((one) => one === 'web').length === 2 && ready.filter((one) => one === 'dns').length === 2
        return whole && operation?.status === 'succeeded' && !machines.some(({ name }) => name === 'dns-2')
      }, 240_000)
      const query = encodeURIComponent(`count_over_time(up{job="node",machine="web-1"}[${seconds}s] offset 1s)`)
      const { series } = await call<{ series: { samples: { value: number }[] }[] }>(
        `monitoring/monitoring/query?query=${query}`,
      )
      expect(series[0]?.samples[0]?.value).toBeGreaterThan((seconds / 5) * 0.6)
    } finally {
      await web.stop()
    }
    console.log(`${web.answered()} requests, failed: ${JSON.stringify(web.failures)}`)
    expect(web.answered()).toBeGreaterThan(50)
    expect(web.failures).toEqual([])
  })
})
