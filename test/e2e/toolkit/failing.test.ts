import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Load, startLoad } from '../../../bench/load.ts'
import { change } from '../../../src/toolkit/load-balancer/runtime-socket.ts'
import { loadBalancer } from '../../../src/toolkit/load-balancer/service.ts'
import { until } from '../../support/until.ts'
import { images, noMachines } from '../providers/local-box.ts'
import { type Backend, startBackend } from './backend.ts'
import { type BalancerBox, balancerBox, type Wanted } from './balancer-box.ts'

const { leave } = loadBalancer.control
const leaving = (drain: number) => ({ overrides: {}, drain, going: false })

/** A section whose timeout takes a reload when it changes. */
const section = (client: number) => ({
  listeners: [{ port: 80, to: 'web', health: { http: '/healthz' }, timeouts: { client: `${client}s` } }],
})

describe.skipIf(noMachines).each(images)(
  `load balancer when something fails, %s${noMachines ? ` (${noMachines})` : ''}`,
  (image) => {
    let box: BalancerBox
    let one: Backend
    let two: Backend
    const client = 60

    const wanted = (more: Partial<Wanted> = {}): Wanted => ({
      section: section(client),
      members: { web: [one, two] },
      ...more,
    })
    const url = () => `http://${box.node.address}`
    const load = (keepAlive: boolean) => startLoad(`${url()}/`, { connections: 5, keepAlive })
    const answered = (loads: Load[]) => {
      const before = loads.map(({ result }) => result.total)
      return until(() => loads.every(({ result }, i) => result.total > (before[i] ?? 0) + 100))
    }

    beforeAll(async () => {
      ;[one, two] = await Promise.all([startBackend('web-1'), startBackend('web-2')])
      box = await balancerBox(image)
      await box.configure(wanted(), { first: true })
    })

    afterAll(async () => {
      for (const backend of [one, two]) await backend?.close()
      await box?.close()
    })

    afterEach(async () => {
      await box.configure(wanted())
      await box.up('web-1', 'web-2')
    })

    test('a machine that dies under load: no request that may be repeated is lost, and it is out after two checks', async () => {
      await box.up('web-1', 'web-2')
      const dying = await startBackend('web-3')
      await box.configure(wanted({ members: { web: [one, two, dying] } }))
      await box.up('web-3')
      const loads = [load(true), load(false)]
      try {
        await until(() => dying.hits > 20)
        await dying.close()
        await until(async () => (await box.server('web-3'))?.status === 'DOWN')
        await answered(loads)
      } finally {
        const results = await Promise.all(loads.map((one) => one.stop()))
        expect(results.map(({ failures }) => failures)).toEqual([{}, {}])
      }
    })

    test('a machine that hangs is out after the checks that its timeout is for, and none of the others is', async () => {
      await box.up('web-1', 'web-2')
      const hanging = await startBackend('web-3')
      try {
        await box.configure(wanted({ members: { web: [one, two, hanging] } }))
        await box.up('web-3')
        const cursor = /^-- cursor: (.*)$/m.exec(
          await box.run('journalctl --sync; journalctl --unit=haproxy --lines=1 --show-cursor'),
        )?.[1]
        hanging.silent = true
        await until(async () => (await box.server('web-3'))?.status === 'DOWN')
        // Two checks in a row, the second at once after the first: each had half of the 2 s.
        expect(hanging.unanswered).toBeGreaterThanOrEqual(2)
        expect(await box.server('web-3')).toMatchObject({ checkStatus: 'L7TOUT' })
        hanging.hits = 0
        for (let i = 0; i < 20; i++) expect((await fetch(url(), { headers: { connection: 'close' } })).status).toBe(200)
        expect(hanging.hits).toBe(0)
        const log = await box.run(
          `journalctl --sync; journalctl --unit=haproxy --output=cat --after-cursor='${cursor}'`,
        )
        const turns = log.split('\n').flatMap((line) => /Server (web\/\S+ is (?:UP|DOWN))/.exec(line)?.[1] ?? [])
        expect([...new Set(turns)]).toEqual(['web/web-3 is DOWN'])
        // HAProxy 3 ends a check by whole milliseconds and measures it by finer ones.
        expect(log).toMatch(/web\/web-3 is DOWN, reason: Layer7 timeout, check duration: (999|\d{4,})ms/)
      } finally {
        await hanging.close()
      }
    })

    test('HAProxy that is killed is back by itself, and holds out what was held out', async () => {
      await box.up('web-1', 'web-2')
      await box.configure(wanted({ overrides: { 'web/web-2': { state: 'maintenance' } } }))
      const worker = await box.worker()
      await box.run('systemctl kill --kill-whom=main --signal=KILL haproxy')
      const answers = () =>
        fetch(url(), { headers: { connection: 'close' } }).then((response) => response.status === 200)
      // The killed one's worker may serve for a moment more.
      const isAnother = () => box.worker().then((now) => now !== worker)
      await until(() => isAnother().catch(() => false))
      await until(() => answers().catch(() => false))
      expect(await box.server('web-2')).toMatchObject({ state: 'maintenance' })
    })

    test('a listener whose port another program has is refused before anything is interrupted', async () => {
      await box.run(
        `systemd-run --quiet --unit=squatter perl -MIO::Socket::INET -e 'push @open, IO::Socket::INET->new(LocalPort => 81, Listen => 5); sleep 600'`,
      )
      const loads = [load(true), load(false)]
      try {
        await until(async () => (await box.run('ss -H -l -t -n')).includes(':81 '))
        const twoPorts = { listeners: [...section(client).listeners, { name: 'other', port: 81, to: 'web' }] }
        const worker = await box.worker()
        const attempt = box.configure(wanted({ section: twoPorts }))
        await expect(attempt).rejects.toMatchObject({
          code: 'service-failed',
          message: 'port 81 of load-balancer-1, which a listener wants, is taken by perl',
        })
        expect(await box.worker()).toBe(worker)
      } finally {
        await box.run('systemctl stop squatter')
        const results = await Promise.all(loads.map((one) => one.stop()))
        expect(results.map(({ failures }) => failures)).toEqual([{}, {}])
      }
    })

    test('a reload that systemd calls done and HAProxy failed is an error with its words; the next one mends it', async () => {
      const other = wanted({ section: section(client + 100) })
      const values = await box.parameters(other)
      await box.program(other, ['reload:haproxy'])
      await box.run(`sed -i 's/bind 0.0.0.0:80,/bind 203.0.113.9:80,/' /etc/haproxy/haproxy.cfg`)
      const attempt = loadBalancer.control.afterConfigure(box.context(other), box.node, values)
      await expect(attempt).rejects.toMatchObject({
        code: 'service-failed',
        message: /^HAProxy on load-balancer-1 did not take its new configuration: .*(bind|listen)/,
      })
      expect((await fetch(url())).status).toBe(200)
      await box.configure(other)
      expect((await fetch(url())).status).toBe(200)
    })

    test('a reload that was lost is found by check and health, and mended by the next configure', async () => {
      const { drift, afterConfigure } = loadBalancer.control
      const findings = async (of: Wanted) => (await loadBalancer.health?.(box.context(of))) ?? []
      const found = async (of: Wanted) => drift?.(box.context(of), box.node, await box.parameters(of))
      expect(await found(wanted())).toEqual([])
      expect((await findings(wanted())).map(({ status }) => status)).toEqual(['healthy'])
      const other = wanted({ section: section(client + 200) })
      await box.program(other, ['reload:haproxy'])
      expect(await found(other)).toEqual([
        { resource: 'process:haproxy', changes: ['its process runs with another configuration'] },
      ])
      expect(await findings(other)).toContainEqual({
        subject: 'load-balancer-1',
        status: 'degraded',
        message: expect.stringContaining('another configuration than its file holds'),
      })
      await afterConfigure(box.context(other), box.node, await box.parameters(other))
      expect(await found(other)).toEqual([])
      expect((await findings(other)).map(({ status }) => status)).toEqual(['healthy'])
    })

    test('what was changed by hand in the running process is found by check, and mended', async () => {
      const { drift } = loadBalancer.control
      const found = async () => drift?.(box.context(wanted()), box.node, await box.parameters(wanted()))
      await change(box.reach, box.node, 'set server web/web-1 weight 1', 'set server web/web-2 state drain')
      expect(await found()).toEqual([
        {
          resource: 'process:haproxy',
          changes: [
            expect.stringMatching(/^web\/web-1 is ready with weight 1,/),
            expect.stringMatching(/^web\/web-2 is drain/),
          ],
        },
      ])
      await box.configure(wanted())
      expect(await found()).toEqual([])
    })

    test('HAProxy that does not run is a clear error, and the next configure starts it', async () => {
      await box.run('systemctl stop haproxy')
      const context = box.context(wanted())
      const member = { component: 'web', machine: 'web-1' }
      const silent = {
        code: 'service-failed',
        retryable: true,
        message: /^HAProxy on load-balancer-1 does not answer: /,
      }
      await expect(leave(context, member, leaving(0))).rejects.toMatchObject(silent)
      const statistics = loadBalancer.routes.find(({ id }) => id === 'statistics')
      await expect(statistics?.read?.(context, {}, {})).rejects.toMatchObject(silent)
      const values = await box.parameters(wanted())
      expect(await loadBalancer.control.drift?.(context, box.node, values)).toEqual([
        { resource: 'process:haproxy', changes: [expect.stringMatching(silent.message)] },
      ])
      await box.configure(wanted())
      await box.up('web-1', 'web-2')
    })
  },
)
