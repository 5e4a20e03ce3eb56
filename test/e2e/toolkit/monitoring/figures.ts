import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { expect, test } from 'vitest'
import { look, noBrowser } from '../../../support/browser.ts'
import { until } from '../../../support/until.ts'
import { ask } from '../dns-box.ts'
import type { Watched } from './watched.ts'

interface MetricRow {
  metric: string
  component: string
  machine: string
  value: number | null
}

/** What is looked at, by which words it is asked for, and who may. */
export function figures(watched: Watched): void {
  const { up, get, everything } = watched

  test('everything that there is to look at answers', async () => {
    await expect.poll(up).toEqual(everything)
  })

  test('what people ask first has words, by component and by machine', async () => {
    const value = async (metric: string, component: string, by = 'component') => {
      const { metrics } = await watched.box.ask<{ metrics: MetricRow[] }>(`/metrics?by=${by}`)
      return metrics.find((row) => row.metric === metric && row.component === component)?.value ?? null
    }
    await until(async () => {
      for (let i = 0; i < 20; i++) await get('/')
      for (let i = 0; i < 5; i++) await get('/error')
      return (await value('latency-p95', 'web')) !== null && ((await value('error-rate', 'web')) ?? 0) > 0
    })
    await expect.poll(() => value('requests-per-second', 'web')).toBeGreaterThan(0)
    await expect.poll(() => value('requests-per-second', 'web', 'machine')).toBeGreaterThan(0)
    expect(await value('error-rate', 'web')).toBeCloseTo(0.2, 0)
    await expect.poll(() => value('latency-p95', 'web', 'machine')).toBeLessThan(5)
    for (const metric of ['cpu', 'memory', 'disk']) {
      await expect.poll(() => value(metric, 'db'), { message: metric }).toBeGreaterThan(0)
      await expect.poll(() => value(metric, 'db'), { message: metric }).toBeLessThan(1)
    }
    for (const metric of ['network-in', 'network-out'])
      await expect.poll(() => value(metric, 'web', 'machine'), { message: metric }).toBeGreaterThan(0)
    expect(await value('machines', 'web')).toBe(1)
  })

  test('name servers have words of their own', async () => {
    const { address } = await watched.box.machine('dns-1')
    const value = async (metric: string) => {
      const { series } = await watched.box.ask<{ series: { samples: { value: number | null }[] }[] }>(
        `/metrics/${metric}?component=dns`,
      )
      return series[0]?.samples[0]?.value ?? null
    }
    await until(async () => {
      for (let i = 0; i < 20; i++) await ask(address, 'watched.example', 'SOA')
      return ((await value('dns-queries-per-second')) ?? 0) > 1
    })
    expect(await value('dns-latency')).toBeLessThan(1)
    expect(await value('dns-servfail-rate')).toBe(0)
  })

  test('a figure over a time, and raw PromQL', async () => {
    const range = () =>
      watched.box.ask<{ series: { component: string; samples: unknown[] }[]; unit: string }>(
        '/metrics/requests-per-second?component=web&last=1m&step=5s',
      )
    await until(async () => ((await range()).series[0]?.samples.length ?? 0) > 1)
    expect(await range()).toMatchObject({ unit: 'requests per second', series: [{ component: 'web' }] })
    const raw = await watched.box.ask<{ series: { labels: Record<string, string>; samples: { value: number }[] }[] }>(
      `/query?query=${encodeURIComponent('greetings_total')}`,
    )
    expect(raw.series[0]?.labels).toMatchObject({ component: 'web', machine: 'web-1', job: 'application' })
    expect(raw.series[0]?.samples[0]?.value).toBeGreaterThan(0)
    expect((await watched.box.ask<{ series: unknown[] }>('/query?query=no_such_metric')).series).toEqual([])
    const pg = await watched.box.ask<{ series: { samples: { value: number }[] }[] }>('/query?query=pg_up')
    expect(pg.series[0]?.samples[0]?.value).toBe(1)
  })

  test.skipIf(noBrowser)('a browser shows topology, signals and operations, and finds nothing to refuse', async () => {
    const { dom, complaints } = await look(`${watched.box.plane.url}/deployments/watched`, watched.box.plane.token)
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
    await expect(watched.box.ask(`/query?query=${encodeURIComponent('rate(x[5m')}`)).rejects.toThrow(/character 10/)
    await expect(watched.box.ask(`/query?query=${encodeURIComponent('sum("a")')}`)).rejects.toThrow(/expected type/)
    await expect(watched.box.ask('/metrics/latenzy')).rejects.toThrow(/latency-p95/)
  })

  test('nobody gets figures from the network without the key', async () => {
    const web = await watched.box.machine('web-1')
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
    const socket = await watched.box.plane.parts.reach.connectTcp(web, web.address, 9998)
    expect(await told({ socket })).toMatch(/certificate required|bad certificate/)
    for (const [name, ports] of [
      ['web-1', [9100]],
      ['monitoring-1', [9090, 9093, 9100]],
      ['load-balancer-1', [8405, 3903]],
    ] as const) {
      const { stdout } = await watched.box.run(name, 'ss -Hltn')
      for (const port of ports) expect(stdout).toMatch(new RegExp(`127\\.0\\.0\\.1:${port}\\b`))
      for (const port of ports) expect(stdout).not.toMatch(new RegExp(`(\\*|0\\.0\\.0\\.0|\\[::\\]):${port}\\b`))
    }
  })
}
