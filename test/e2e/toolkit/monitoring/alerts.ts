import { beforeAll, describe, expect, test } from 'vitest'
import { isSigned } from '../../../support/is-signed.ts'
import { until } from '../../../support/until.ts'
import type { ReceivedHook } from '../../../support/webhook-receiver.ts'
import { ownAddress } from '../dns-box.ts'
import { guestNamed, type Watched } from './watched.ts'

/** What is told to whom, and when not. */
export function alerting(watched: Watched): void {
  const { alerts, up, everything, deploy, services, section, components } = watched

  describe('alerts', () => {
    const name = 'greeted'
    const hookSecret = 'hook-secret-größer-1234'
    const signed = ({ headers, text }: ReceivedHook) =>
      isSigned(headers['x-kitbag-signature'] as string | undefined, text, hookSecret)
    const notify = () => ({
      ops: {
        mail: {
          to: 'ops@watched.example',
          from: 'kitbag@watched.example',
          server: `${own}:${watched.mail.port}`,
          tls: false,
        },
      },
      hook: { webhook: { url: `http://${own}:${watched.hook.port}/alerts`, secret: '${secrets.HOOK_SECRET}' } },
      chat: { slack: { url: `http://${own}:${watched.hook.port}/chat` } },
      pager: { pagerduty: { key: '${secrets.PAGER_KEY}', url: `http://${own}:${watched.hook.port}/pager` } },
    })
    let own = ''

    beforeAll(async () => {
      own = await ownAddress(watched.balancer)
      for (const [secret, value] of [
        ['HOOK_SECRET', hookSecret],
        ['PAGER_KEY', 'a1b2c3d4e5f6a7b8'],
      ])
        await watched.box.plane.request('PUT', `/v1/deployments/watched/secrets/${secret}`, { value })
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
      const mail = () => watched.mail.mails.find(({ text }) => text.includes('Somebody was greeted'))
      const hook = () => watched.hook.hooks.find(({ path, text }) => path === '/alerts' && text.includes(name))
      await until(() => mail() !== undefined && hook() !== undefined)
      expect(mail()).toMatchObject({ from: 'kitbag@watched.example', to: ['ops@watched.example'] })
      const first = hook()
      expect(first && signed(first)).toBe(true)
      expect(first?.body).toMatchObject({
        status: 'firing',
        alerts: [{ labels: { alertname: name, component: 'web' } }],
      })
      expect(watched.hook.hooks.some(({ path, body }) => path === '/chat' && JSON.stringify(body).includes(name))).toBe(
        false,
      )
      expect(await alerts()).toContainEqual(expect.objectContaining({ alert: name, state: 'firing', component: 'web' }))
      const { rules } = await watched.box.ask<{ rules: { alert: string }[] }>('/alert-rules')
      expect(rules.map(({ alert }) => alert)).not.toContain('disk-full')
      expect(rules.map(({ alert }) => alert)).toContain('machine-lost')
    })

    test('a silence keeps it from being told, until it ends', async () => {
      const { silences } = await watched.box.ask<{ silences: { id: string }[] }>('/silences', 'POST', {
        alert: name,
        duration: '1h',
        comment: 'known',
      })
      await until(async () => (await alerts()).some((row) => row.alert === name && row.state === 'silenced'))
      const known = await watched.box.ask<{ silences: { id: string; alert: string; comment: string }[] }>('/silences')
      expect(known.silences).toMatchObject([{ id: silences[0]?.id, alert: name, comment: 'known' }])
      await watched.box.ask(`/silences/${silences[0]?.id}`, 'DELETE')
      await until(async () => (await alerts()).some((row) => row.alert === name && row.state === 'firing'))
      await expect(watched.box.ask('/silences', 'POST', { alert: 'no-such' })).rejects.toThrow(
        /404.*there is no alert no-such/,
      )
    })

    test('a test goes the way that alerts go, and says what each receiver answered', async () => {
      const sent = await watched.box.ask<{ receivers: { receiver: string }[] }>('/alerts/test', 'POST', {})
      const inOrder = ['ops', 'hook', 'chat', 'pager'].map((one) =>
        sent.receivers.find(({ receiver }) => receiver === one),
      )
      expect(inOrder).toEqual([
        { receiver: 'ops', kind: 'mail', delivered: true, answer: 'accepted' },
        { receiver: 'hook', kind: 'webhook', delivered: true, answer: 'accepted' },
        { receiver: 'chat', kind: 'slack', delivered: true, answer: 'accepted' },
        { receiver: 'pager', kind: 'pagerduty', delivered: true, answer: 'accepted' },
      ])
      expect(watched.mail.mails.some(({ text }) => text.includes('nothing is wrong'))).toBe(true)
      const tests = watched.hook.hooks.filter(({ text }) => text.includes('nothing is wrong'))
      const [tested, pager, chat] = ['/alerts', '/pager', '/chat'].map((to) => tests.find(({ path }) => path === to))
      expect(tested && signed(tested)).toBe(true)
      expect(pager?.body).toMatchObject({ routing_key: 'a1b2c3d4e5f6a7b8', event_action: 'trigger' })
      expect(chat).toBeDefined()
      watched.hook.answer(403)
      const refused = await watched.box.ask<{ receivers: { answer: string }[] }>('/alerts/test', 'POST', {
        receiver: 'hook',
      })
      expect(refused.receivers).toEqual([
        { receiver: 'hook', kind: 'webhook', delivered: false, answer: expect.stringContaining('403') },
      ])
      expect(JSON.stringify(refused)).not.toContain(String(watched.hook.port))
      watched.hook.answer(200)
      await expect(watched.box.ask('/alerts/test', 'POST', { receiver: 'hok' })).rejects.toThrow(/"nearest":"hook"/)
    })

    test('an application that is down is told, and that it is back', async () => {
      const down = async () => (await alerts()).some((row) => row.alert === 'application-down')
      await watched.box.run('web-1', 'systemctl stop kitbag-web')
      try {
        await until(() => watched.hook.hooks.some(({ text }) => text.includes('No machine of web serves')))
        const told = watched.hook.hooks.find(({ text }) => text.includes('No machine of web serves'))
        expect([told?.path, told && signed(told)]).toEqual(['/alerts', true])
        expect(await down()).toBe(true)
      } finally {
        await watched.box.run('web-1', 'systemctl start kitbag-web')
      }
      await until(async () => !(await down()))
    })
  })

  test('alerts go on while there is no control plane', async () => {
    const own = await ownAddress(watched.balancer)
    await deploy({
      notify: { hook: { webhook: { url: `http://${own}:${watched.hook.port}/alone` } } },
      alerts: [{ name: 'alone', expr: 'left_alone > 0', for: '0s' }],
    })
    const told = () =>
      watched.hook.hooks.some(({ path, body }) => path === '/alone' && JSON.stringify(body).includes('"alone"'))
    const guest = await guestNamed(watched, 'web-1')
    await watched.box.without(async () => {
      expect(told()).toBe(false)
      // As a job of its own leaves a figure.
      const file = '/var/lib/prometheus/node-exporter/alone.prom'
      await guest.run(`echo 'left_alone 1' >${file}.new && mv ${file}.new ${file}`)
      await until(told)
    })
    expect(await alerts()).toContainEqual(expect.objectContaining({ alert: 'alone', state: 'firing' }))
    await deploy()
  })

  test('a rule that only Prometheus finds wrong never replaces those in force', async () => {
    const broken = { ...services, monitoring: section({ alerts: [{ name: 'wrong', expr: 'sum("a")' }] }) }
    const ended = await watched.box.deploy(broken, { components: components(), mayFail: true })
    expect(ended.error).toMatchObject({
      message: expect.stringContaining('rules.yml failed'),
      output: expect.stringMatching(/wrong.*expected type/s),
    })
    await expect.poll(up).toHaveLength(everything.length)
  })
}
