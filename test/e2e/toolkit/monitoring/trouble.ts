import { expect, test } from 'vitest'
import { until } from '../../../support/until.ts'
import type { Watched } from './watched.ts'

/** Daemons that die, and machines that come and go. */
export function trouble(watched: Watched): void {
  const { targets, up, everything, deploy } = watched

  test('a daemon that is killed comes back', async () => {
    for (const [name, unit] of [
      ['monitoring-1', 'prometheus'],
      ['monitoring-1', 'prometheus-alertmanager'],
      ['web-1', 'prometheus-exporter-exporter'],
      ['load-balancer-1', 'mtail'],
    ]) {
      const { stdout } = await watched.box.run(
        name ?? '',
        `systemctl kill --signal=KILL ${unit} && systemctl show --property=NRestarts ${unit}`,
      )
      expect(stdout, unit).toMatch(/NRestarts=\d/)
    }
    await until(async () => (await up().catch(() => [])).length === everything.length)
  })

  test('the end of certificates is known, wherever they are', async () => {
    const ends = async () =>
      (
        await watched.box.ask<{ series: { labels: Record<string, string>; samples: { value: number }[] }[] }>(
          '/query?query=certificate_end_time_seconds',
        )
      ).series
    const known = async () => (await ends()).map(({ labels }) => `${labels.component} ${labels.certificate}`).sort()
    await expect.poll(known, { timeout: 120_000 }).toEqual(['db /etc/kitbag/db/server.crt', 'loadBalancer web'])
    for (const { samples } of await ends()) expect(samples[0]?.value).toBeGreaterThan(Date.now() / 1000)
  })

  test('a Prometheus that is away is told as such, by name, and the page shows the rest', async () => {
    const health = () => watched.box.ask<{ status: string; findings: { subject: string; status: string }[] }>('/health')
    await expect.poll(health).toMatchObject({ status: 'healthy' })
    await watched.box.run('monitoring-1', 'systemctl stop prometheus')
    try {
      await expect(watched.box.ask('/metrics')).rejects.toThrow(/service-failed.*monitoring-1/)
      expect(await health()).toMatchObject({
        status: 'down',
        findings: expect.arrayContaining([
          expect.objectContaining({ subject: 'prometheus on monitoring-1', status: 'down' }),
        ]),
      })
      const response = await watched.box.plane.request('GET', '/deployments/watched')
      const page = await response.text()
      expect([response.status, page.includes('data-component="web"'), page.includes('monitoring: ')]).toEqual([
        200,
        true,
        true,
      ])
    } finally {
      await watched.box.run('monitoring-1', 'systemctl start prometheus')
    }
    await until(async () => (await up().catch(() => [])).length === everything.length)
  })

  test('targets follow the deployment; of two that look one is enough', async () => {
    await deploy({ replicas: 2 }, 2)
    await until(async () => (await up()).includes('web-2 application'))
    await until(async () => (await up()).includes('monitoring-2 prometheus'))
    const members = async () =>
      (await watched.box.ask<{ series: unknown[] }>('/query?query=alertmanager_cluster_members%3D%3D2')).series.length
    await until(async () => (await members()) === 2)
    await deploy({ replicas: 2 }, 1)
    await until(async () => !(await targets()).some((row) => row.machine === 'web-2' && row.up))
    expect(await watched.box.run('monitoring-1', 'grep -c web-2 /etc/prometheus/kitbag/prometheus.yml')).toMatchObject({
      stdout: '0\n',
    })
    await watched.box.run('monitoring-1', 'systemctl stop prometheus')
    try {
      await until(async () => (await up()).includes('web-1 application'))
    } finally {
      await watched.box.run('monitoring-1', 'systemctl start prometheus')
    }
    await deploy({}, 1)
  })
}
