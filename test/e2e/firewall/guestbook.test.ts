import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../../support/until.ts'
import { noMachines } from '../providers/local-box.ts'
import { type TestDeployment, testDeployment } from '../toolkit/deployment.ts'
import { openPorts as scan } from './scan.ts'

const blueprint = ({ more = '', on = true } = {}) => `
apiVersion: kitbag/v1
name: shop
firewall: ${on}
components:
  web:
    source: ./app
    runtime: nodejs
    start: node server.js
    port: 8080
    machine: { image: debian-12 }
    env: { DATABASE_URL: "\${db.url}" }${more}
  db:
    recipe: postgresql
    settings: { database: shop }
toolkit:
  loadBalancer:
    listeners: [{ port: 80, to: web }]
    machine: { cpu: 1, memory: 256MiB }
`

describe.skipIf(noMachines)(`a machine lets in what is declared${noMachines ? ` (${noMachines})` : ''}`, () => {
  let shop: TestDeployment

  beforeAll(async () => {
    shop = await testDeployment()
    await shop.deploy(blueprint(), 'one')
  })

  afterAll(async () => {
    expect(await shop?.close(['db'])).toEqual([])
  })

  const openPorts = (from?: string) => scan(shop, ['web', 'db', 'loadBalancer'], from)

  test('a stranger finds SSH and what is for anyone', async () => {
    expect(await openPorts()).toEqual({ 'web-1': [22], 'db-1': [22], 'load-balancer-1': [22, 80] })
  })

  test('a component finds what it refers to', async () => {
    const [web, db, balancer] = await Promise.all(['web-1', 'db-1', 'load-balancer-1'].map(openPorts))
    expect(web).toEqual({ 'db-1': [22, 5432], 'load-balancer-1': [22, 80] })
    expect(db).toEqual({ 'web-1': [22], 'load-balancer-1': [22, 80] })
    expect(balancer).toEqual({ 'web-1': [22, 8080], 'db-1': [22] })
  })

  test('rules stand after a reboot, and while the network comes up', async () => {
    const guest = await shop.guest('db-1')
    const before = await guest.run('nft list table inet kitbag')
    await guest.crash()
    const [db] = await shop.machines('db')
    await until(async () => (await guest.run('systemctl is-active ssh').catch(() => '')) === 'active')
    expect(await (await shop.guest('db-1')).run('nft list table inet kitbag')).toBe(before)
    const order = 'systemctl show --property=After network-pre.target'
    expect(await guest.run(order)).toContain('kitbag-firewall.service')
    expect(db?.address).toBeDefined()
  })

  test('a scale-out changes addresses and nothing else', async () => {
    const guest = await shop.guest('db-1')
    const handles = async () => guest.run('nft --handle list chain inet kitbag services')
    const before = await handles()
    await shop.scale({ web: 2 })
    expect(await handles()).toBe(before)
    const set = await guest.run('nft list set inet kitbag from.web.4')
    for (const { address } of await shop.machines('web')) expect(set).toContain(address)
    await shop.scale({ web: 1 })
    const after = await guest.run('nft list set inet kitbag from.web.4')
    const [left] = await shop.machines('web')
    expect(after.match(/\d+\.\d+\.\d+\.\d+/g)).toEqual([left?.address])
  })

  test('public: a port is for anyone, or for some', async () => {
    const own = async () => {
      const [web] = await shop.machines('web')
      const request = fetch(`http://${web?.address}:8080/`, { signal: AbortSignal.timeout(3_000) })
      return request.then((response) => response.status).catch(() => 'refused')
    }
    expect(await own()).toBe('refused')
    await shop.deploy(blueprint({ more: '\n    public: true' }), 'one')
    await expect.poll(own).toBe(200)
    await shop.deploy(blueprint({ more: '\n    public: [203.0.113.0/24]' }), 'one')
    expect(await own()).toBe('refused')
    const rules = await (await shop.guest('web-1')).run('nft list chain inet kitbag services')
    expect(rules).toContain('ip saddr 203.0.113.0/24 tcp dport 8080 accept')
  })

  test('what somebody else has set up stays, and firewall: false leaves no table', async () => {
    const guest = await shop.guest('web-1')
    await guest.run('nft add table inet somebody')
    await shop.deploy(blueprint({ on: false }), 'one')
    expect((await guest.run('nft list tables')).split('\n')).toEqual(['table inet somebody'])
    expect(
      await guest.run('ls /etc/kitbag/firewall /etc/systemd/system/kitbag-firewall.service 2>&1 || true'),
    ).toContain('No such file')
  })
})
