import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Guest } from '../../support/guest.ts'
import { until } from '../../support/until.ts'
import { noMachines } from '../providers/local-box.ts'
import { balancedShop, type Machine, small, type TestDeployment, testDeployment } from './deployment.ts'
import { handshake } from './tls.ts'
import { ask } from './web-client.ts'

const limit = 30

const blueprint = balancedShop({
  certificates: [{ name: 'edge', certificates: [{ name: 'web', hosts: ['shop.example'] }] }],
  loadBalancer: {
    listeners: [
      { port: 80, to: 'web', rateLimit: { requests: limit, per: '5m' } },
      { port: 81, to: 'web' },
      { port: 443, protocol: 'https', certificates: ['edge.web'], to: 'web' },
    ],
    replicas: 2,
    machine: { ...small, image: 'debian-13' },
  },
})

interface Health {
  status: string
  findings: { subject: string; status: string; message: string }[]
}

/** One line to the running HAProxy, from its own machine. */
const tell = (line: string) =>
  `perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new(Peer => "/run/haproxy/kitbag.sock"); print $s "${line}\\n"; $s->flush; print while <$s>'`

describe.skipIf(noMachines)(`the nodes of a load balancer${noMachines ? ` (${noMachines})` : ''}`, () => {
  const base = '/v1/deployments/shop'
  let shop: TestDeployment
  let nodes: Machine[]

  const node = (index: number): Machine => {
    const found = nodes[index]
    if (!found) throw new Error(`there is no node ${index}`)
    return found
  }
  const check = async () => (await shop.submit({ kind: 'check' })).result?.drift
  const health = () => shop.call<Health>('GET', `${base}/load-balancers/loadBalancer/health`)
  const weights = async () =>
    (await shop.statistics())
      .filter(({ server, backend }) => server === 'web-1' && backend === 'web')
      .map(({ node, weight }) => `${node} ${weight}`)
      .sort()

  beforeAll(async () => {
    shop = await testDeployment()
    await shop.deploy(blueprint, 'one')
    nodes = await shop.machines('loadBalancer')
  })

  afterAll(async () => {
    expect(await shop?.close()).toEqual([])
  })

  test('they show a certificate of a service of any name', async () => {
    for (const { address } of nodes)
      expect(await handshake(address, 443, 'shop.example')).toMatchObject({ names: 'DNS:shop.example' })
  })

  test('they count a client together: the limit is the blueprint’s', async () => {
    const answered = async ({ address }: Machine, count: number) => {
      const statuses: number[] = []
      for (let i = 0; i < count; i++) statuses.push((await ask(`http://${address}/`)).status)
      return statuses
    }
    const times = (count: number, status: number) => Array.from({ length: count }, () => status)
    expect(await answered(node(0), 20)).toEqual(times(20, 200))
    // They tell each other at once when they are connected, which takes some seconds after a start.
    const other = await shop.guest(node(1).name)
    const table = tell(`show table kitbag-peers/rate-80-${node(0).name}`)
    const told = (guest: Guest) => until(async () => (await guest.run(table)).includes('http_req_rate(300000)=20'))
    await told(other)
    const one = await shop.guest(node(0).name)
    await one.run('systemctl reload haproxy')
    // A new process learns from the other what the one before it counted.
    await told(one)
    expect(await answered(node(1), 12)).toEqual([...times(10, 200), 429, 429])
    await until(async () => (await answered(node(0), 1))[0] === 429)
  })

  test('nobody else is let in where they tell each other their counts', async () => {
    const guest = await shop.guest(node(0).name)
    const { address } = node(1)
    const attempt = `perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(PeerAddr => "${address}:10000", Timeout => 5) or die; print $s "HAProxyS 2.1\\n${address}\\nx 1 1\\n"; $s->flush; $SIG{ALRM} = sub { die "open" }; alarm 20; print while <$s>'`
    expect(await guest.run(attempt)).not.toMatch(/^[0-9]{3}/)
  })

  test('one that runs with an older configuration than its file is found by check and health, and mended by a deploy', async () => {
    expect(await check()).toEqual([])
    const guest = await shop.guest(node(0).name)
    const file = '/etc/haproxy/haproxy.cfg'
    await guest.run(
      `cp -p ${file} /tmp/kept && sed -i 's/description kitbag .*/description kitbag 0/' ${file} && systemctl reload haproxy`,
    )
    await until(async () => (await guest.run(tell('show info'))).includes('description: kitbag 0\n'))
    await guest.run(`mv /tmp/kept ${file}`)
    expect(await check()).toMatchObject([
      {
        machine: node(0).name,
        resource: 'process:haproxy',
        changes: ['its process runs with another configuration'],
      },
    ])
    await expect.poll(health).toMatchObject({
      status: 'degraded',
      findings: expect.arrayContaining([
        { subject: node(0).name, status: 'degraded', message: expect.stringContaining('check and deploy again') },
      ]),
    })
    await shop.deploy(blueprint, 'one')
    expect(await check()).toEqual([])
    await expect.poll(health).toMatchObject({ status: 'healthy' })
  })

  test('one that cannot be reached is told of, the other has the change, and it is brought level when it is back', async () => {
    const guest = await shop.guest(node(1).name)
    await guest.run('ip link set host0 down')
    try {
      const { result } = await shop.change('web-1', { weight: 7 })
      expect(result?.behind).toEqual([{ machine: node(1).name, message: expect.stringContaining('cannot be reached') }])
      expect(await weights()).toEqual([`${node(0).name} 7`])
    } finally {
      await guest.run('ip link set host0 up')
    }
    await until(async () => (await weights()).join() === nodes.map(({ name }) => `${name} 7`).join())
    expect(await check()).toEqual([])
  })

  test('one that is replaced is known to the other, and then there is nothing left to do', async () => {
    await shop.heal([node(1).name])
    nodes = await shop.machines('loadBalancer')
    const guest = await shop.guest(node(0).name)
    expect(await guest.run(`grep -c '^ *peer ' /etc/haproxy/haproxy.cfg`)).toBe('2')
    expect(await guest.run(`grep -c ' ${node(1).address}:10000$' /etc/haproxy/haproxy.cfg`)).toBe('1')
    expect(await check()).toEqual([])
    const { result } = await shop.scale({ web: 1 })
    expect(result?.units).toBe(0)
  })
})
