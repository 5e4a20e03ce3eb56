import { expect, test } from 'vitest'
import type { Watched } from './watched.ts'

/** Logs of every machine, and what is left on it without the section. */
export function traces(watched: Watched): void {
  const { get, services, components } = watched

  test('logs are found by level, time and text, on every machine', async () => {
    await watched.box.run(
      'db-1',
      'logger --priority user.err --tag broken "Disk (A+B) is *gone*"; logger --priority user.info --tag fine "all is well"',
    )
    const lines = async (query: string) => {
      const response = await watched.box.plane.request('GET', `/v1/deployments/watched/logs?all=true&${query}`)
      const text = await response.text()
      return text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as { machine: string; level: string; message: string })
    }
    // The journal writes it down some moments later.
    await expect
      .poll(() => lines(`level=err&since=5m&text=${encodeURIComponent('disk (a+b) is *')}`))
      .toMatchObject([{ machine: 'db-1', level: 'err', message: 'Disk (A+B) is *gone*' }])
    expect((await lines('level=err&since=5m')).map(({ message }) => message)).not.toContain('all is well')
    expect(await lines(`machine=web-1&text=${encodeURIComponent('(A+B)')}`)).toEqual([])
    expect(await lines(`until=1h&text=${encodeURIComponent('(A+B)')}`)).toEqual([])
    const kept = await watched.box.run('web-1', 'ls -d /var/log/journal; cat /etc/systemd/journald.conf.d/kitbag.conf')
    expect(kept.stdout).toMatch(/\/var\/log\/journal[\s\S]*MaxRetentionSec=1209600000ms/)
  })

  test('a check finds nothing, and without the section nothing of it is left on machines', async () => {
    expect((await watched.box.submit({ kind: 'check' })).result).toMatchObject({ drift: [] })
    await watched.box.deploy(services, { components: components() })
    for (const name of ['web-1', 'db-1', 'load-balancer-1', 'dns-1']) {
      const { stdout } = await watched.box.run(
        name,
        'ss -Hltnu; ls /var/lib/kitbag/extras; ls /etc/prometheus/kitbag; systemctl is-active prometheus-node-exporter prometheus-exporter-exporter mtail',
      )
      expect(stdout, name).not.toMatch(/:(9998|9100|3903|3904|9187)\b/)
      expect(stdout, name).not.toMatch(/^(exporter-gate|node-exporter|gate\.|active)/m)
    }
    expect((await watched.box.submit({ kind: 'check' })).result).toMatchObject({ drift: [] })
    expect(await get('/')).toBe('hello')
  })
}
