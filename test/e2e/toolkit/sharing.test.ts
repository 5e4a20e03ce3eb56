import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packFiles } from '../../../src/lib/archive/pack.ts'
import { sha256 } from '../../../src/lib/digest.ts'
import { until } from '../../support/until.ts'
import { noMachines } from '../providers/local-box.ts'
import { ask, type DnsBox, startDnsBox } from './dns-box.ts'

/** The guestbook with its toolkit on the machines that it has anyway: three in all. */
const blueprint = ({ monitoring = true } = {}) => `
apiVersion: kitbag/v1
name: guestbook
components:
  web:
    source: ./app
    runtime: nodejs
    settings: { packages: [node-pg] }
    migrate: node migrate.js
    start: node server.js
    port: 8080
    replicas: 2
    env: { DATABASE_URL: "\${db.url}" }
    health: { http: /healthz, interval: 500ms }
  db:
    recipe: postgresql
    settings: { database: guestbook }
    machine: { memory: 1GiB, image: debian-12 }
toolkit:
  loadBalancer:
    listeners: [{ port: 80, to: web }]
    placement: { with: web }
  dns:
    zone: guestbook.example
    nameservers: 2
    ttl: 1s
    records: [{ name: www, type: A, value: "\${loadBalancer.addresses}" }]
    placement: { with: web }
  healing: { interval: 2s }
${monitoring ? '  monitoring: { interval: 5s, placement: { with: db } }' : ''}
`

/** Where everything is, while all of it is there. */
const everything = ['db', 'dns on web', 'dns on web', 'loadBalancer on web', 'monitoring on db', 'web', 'web']

interface Shown {
  machines: { name: string; component: string; on?: string; address: string; status: string }[]
}

describe.skipIf(noMachines)(`a guestbook that shares machines${noMachines ? ` (${noMachines})` : ''}`, () => {
  let box: DnsBox
  let source = ''

  const shown = async () => (await (await box.plane.request('GET', '/v1/deployments/guestbook')).json()) as Shown
  const addressOf = async (machine: string) =>
    (await shown()).machines.find(({ name }) => name === machine)?.address ?? ''
  /** `loadBalancer on web`, once for each. */
  const places = async () => {
    const { machines } = await shown()
    const componentOf = (name?: string) => machines.find((one) => one.name === name)?.component
    return machines.map(({ component, on }) => (on ? `${component} on ${componentOf(on)}` : component)).sort()
  }
  const deploy = (text: string) =>
    box.operate('guestbook', { kind: 'deploy', blueprint: { text }, sources: { './app': source }, cloud: 'home' })
  const front = async () => (await shown()).machines.find(({ component }) => component === 'loadBalancer')?.address
  const entries = async () => (await fetch(`http://${await front()}/entries`)).text()
  const run = async (machine: string, command: string) => {
    const node = (await box.nodes('guestbook')).find(({ name }) => name === machine)
    if (!node) throw new Error(`there is no machine ${machine}`)
    return box.run(node, command)
  }
  const kinds = async () => {
    const answer = await box.plane.request('GET', '/v1/operations?deployment=guestbook&limit=50')
    const { items } = (await answer.json()) as { items: { kind: string; status: string }[] }
    return items.map(({ kind, status }) => `${kind} ${status}`)
  }

  beforeAll(async () => {
    box = await startDnsBox(['debian-13', 'debian-12'])
    const folder = new URL('../../../examples/guestbook/app/', import.meta.url)
    const names = ['migrate.js', 'release.js', 'server.js']
    const files = await Promise.all(names.map(async (name) => [name, await readFile(new URL(name, folder))] as const))
    const archive = await packFiles(Object.fromEntries(files))
    source = sha256(archive)
    await box.upload(source, archive)
    await deploy(blueprint())
  })

  afterAll(async () => {
    if (!box) return
    await box.close(['db'])
  })

  test('three machines serve, answer names and look after each other', async () => {
    expect(await places()).toEqual(everything)
    const list = (await (await box.plane.request('GET', '/v1/deployments')).json()) as { items: { machines: number }[] }
    expect(list.items.map(({ machines }) => machines)).toEqual([3])
    const made = await fetch(`http://${await front()}/entries`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'Ann', message: 'hello' }),
    })
    expect(made.status).toBeLessThan(300)
    for (const node of ['dns-1', 'dns-2'])
      expect(await ask(await addressOf(node), 'www.guestbook.example', 'A')).toEqual([await front()])
  })

  test('every machine is looked at once, and what is on it by its own name', async () => {
    const targets = async () => {
      const answer = await box.plane.request('GET', '/v1/deployments/guestbook/monitoring/monitoring/targets')
      const { targets: rows } = (await answer.json()) as { targets: { job: string; machine: string; up: boolean }[] }
      return rows
    }
    await until(async () => (await targets()).filter(({ up }) => up).length >= 13)
    expect((await targets()).map(({ job, machine }) => `${machine} ${job}`).sort()).toEqual([
      'db-1 container',
      'db-1 node',
      'db-1 postgresql',
      'dns-1 dns',
      'dns-2 dns',
      'load-balancer-1 access-log',
      'load-balancer-1 load-balancer',
      'monitoring-1 alertmanager',
      'monitoring-1 prometheus',
      'web-1 container',
      'web-1 node',
      'web-2 container',
      'web-2 node',
    ])
  })

  test('there is nothing to do, and a check finds nothing', async () => {
    const body = { blueprint: { text: blueprint() }, sources: { './app': source }, cloud: 'home' }
    const answer = await box.plane.request('POST', '/v1/deployments/guestbook/plan', body)
    const { units } = (await answer.json()) as { units: unknown[] }
    expect(units).toEqual([])
    await box.operate('guestbook', { kind: 'check' })
    const status = (await (await box.plane.request('GET', '/v1/deployments/guestbook')).json()) as { status: string }
    expect(status.status).toBe('live')
  })

  test('fewer machines than are needed by those who share them are refused, with their names', async () => {
    await expect(box.operate('guestbook', { kind: 'scale', scale: { web: 1 } })).rejects.toThrow(
      'toolkit.dns.placement.with: dns needs 2 machines of web, which has 1',
    )
  })

  test('a machine is lost with all that it carries, and all of that is elsewhere', async () => {
    const { machines } = await shown()
    const carrier = machines.find(({ component }) => component === 'loadBalancer')?.on ?? ''
    await box.lose('guestbook', carrier)
    await until(async () => (await kinds()).includes('heal succeeded'), 240_000)
    expect((await shown()).machines.map(({ name }) => name)).not.toContain(carrier)
    expect(await places()).toEqual(everything)
    expect(await entries()).toContain('hello')
    for (const { name } of (await shown()).machines.filter(({ component }) => component === 'dns'))
      expect(await ask(await addressOf(name), 'www.guestbook.example', 'A')).toEqual([await front()])
  })

  test('what leaves a machine is stopped and gone there, and comes back', async () => {
    await deploy(blueprint({ monitoring: false }))
    expect(await places()).not.toContain('monitoring on db')
    const gone = await run(
      'db-1',
      'systemctl is-active prometheus prometheus-alertmanager postgresql || true; ls /etc/prometheus/kitbag',
    )
    expect(gone.split('\n')).toEqual(['inactive', 'inactive', 'active'])
    expect(await entries()).toContain('hello')
    await deploy(blueprint())
    expect(await run('db-1', 'systemctl is-active prometheus')).toBe('active')
    expect(await places()).toContain('monitoring on db')
  })
})
