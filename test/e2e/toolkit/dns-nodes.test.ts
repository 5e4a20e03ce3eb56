import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { decode } from 'dns-packet'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { MachineAccess } from '../../../src/model/machine.ts'
import { guestAt } from '../../support/guest.ts'
import { until } from '../../support/until.ts'
import { noMachines } from '../providers/local-box.ts'
import { ask, askIfThere, blueprint, type DnsBox, ownAddress, startDnsBox, transfer } from './dns-box.ts'

const zone = 'shop.example'
const name = 'nodes'
const section = (address: string, more: object[] = []) => ({
  zone,
  nameservers: 2,
  machine: { cpu: 0.5, memory: '384MiB' },
  records: [{ name: 'www', type: 'A', value: address }, ...more],
})

describe.skipIf(noMachines)(`DNS: nodes and changes on real machines${noMachines ? ` (${noMachines})` : ''}`, () => {
  let box: DnsBox
  let nodes: MachineAccess[]
  const record = (path: string, method: string, body?: object) =>
    box.change(name, method, `/zones/${zone}/records/${path}`, body)
  /** What each node answers. */
  const answers = (of: string, type = 'A') =>
    Promise.all(nodes.map(({ address }) => ask(address, `${of}.${zone}`, type)))
  const both = (...contents: string[]) => nodes.map(() => contents)
  const zones = async () =>
    (await box.read<{ zones: { zone: string; level: boolean; serial: number }[] }>(name, '/zones')).zones

  beforeAll(async () => {
    box = await startDnsBox(['debian-13'])
    await box.operate(name, blueprint(name, section('192.0.2.1')))
    nodes = await box.nodes(name)
  })
  afterAll(() => box?.close())

  test('both nodes answer, with one serial', async () => {
    expect(nodes).toHaveLength(2)
    expect(await answers('www')).toEqual(both('192.0.2.1'))
    expect(await zones()).toMatchObject([{ zone, level: true }])
  })

  test('a change by the API is in force on both when it is done, with a higher serial', async () => {
    const [{ serial = 0 } = {}] = await zones()
    await record('api/A', 'PUT', { value: ['192.0.2.7', '192.0.2.8'], ttl: '30s' })
    expect(await answers('api')).toEqual(both('192.0.2.7', '192.0.2.8'))
    const [after] = await zones()
    expect(after?.level).toBe(true)
    expect(after?.serial).toBeGreaterThan(serial)
    await record('gone/A', 'PUT', { value: '192.0.2.9' })
    await record('gone/A', 'DELETE')
    expect(await answers('gone')).toEqual(both('NXDOMAIN'))
  })

  test('a zone made at run time is served, signed or not, and gone when it is removed', async () => {
    await box.change(name, 'PUT', '/zones/made.example', { dnssec: true })
    await box.change(name, 'PUT', '/zones/made.example/records/@/A', { value: '192.0.2.3' })
    const made = () => Promise.all(nodes.map(({ address }) => ask(address, 'made.example', 'A')))
    expect(await made()).toEqual(both('192.0.2.3'))
    const keys = () => Promise.all(nodes.map(({ address }) => ask(address, 'made.example', 'DNSKEY')))
    const [first, second] = await keys()
    expect([first?.length, second]).toEqual([1, first])
    await box.change(name, 'PUT', '/zones/made.example', { dnssec: false })
    expect(await keys()).toEqual(both())
    expect(await made()).toEqual(both('192.0.2.3'))
    await box.change(name, 'DELETE', '/zones/made.example')
    expect(await made()).toEqual(both('REFUSED'))
  })

  test('a deploy changes the blueprint’s sets and leaves the API’s; a rollback brings the old ones back', async () => {
    await box.operate(name, blueprint(name, section('192.0.2.2', [{ name: 'new', type: 'TXT', value: 'two' }])))
    expect([await answers('www'), await answers('new', 'TXT')]).toEqual([both('192.0.2.2'), both('74776f')])
    expect(await answers('api')).toEqual(both('192.0.2.7', '192.0.2.8'))
    await box.operate(name, { kind: 'rollback', release: 1 })
    expect([await answers('www'), await answers('new', 'TXT')]).toEqual([both('192.0.2.1'), both('NXDOMAIN')])
    expect(await answers('api')).toEqual(both('192.0.2.7', '192.0.2.8'))
  })

  test('an address that is dead leaves the answer, and comes back; the first healthy group answers', async () => {
    const [first, second] = nodes as [MachineAccess, MachineAccess]
    const listen = (node: MachineAccess) =>
      box.run(
        node,
        // No blueprint declares it.
        "nft add rule inet kitbag services tcp dport 8080 accept; systemd-run --quiet --collect --unit=listener perl -MIO::Socket::INET -e '$$s = IO::Socket::INET->new(LocalPort => 8080, Listen => 5, ReuseAddr => 1); while (1) { $$s->accept }'",
      )
    await Promise.all([listen(first), listen(second)])
    const value = [first.address, second.address].sort()
    await record('live/A', 'PUT', { value, health: { tcp: 8080 }, ttl: '1s' })
    const order = [first, second].map(({ address }) => ({ value: address }))
    await record('first/A', 'PUT', { routing: 'failover', answers: order, health: { tcp: 8080 }, ttl: '1s' })
    const is = async (live: string[], firstOf: string) => {
      const expected = [both(...live), both(firstOf)]
      const now = [await answers('live'), await answers('first')]
      return JSON.stringify(now) === JSON.stringify(expected)
    }
    await until(() => is(value, first.address))
    await box.run(first, 'systemctl stop listener')
    await until(() => is([second.address], second.address))
    await listen(first)
    await until(() => is(value, first.address))
    await box.run(first, 'systemctl stop listener')
    await box.run(second, 'systemctl stop listener')
  })

  test('weights', async () => {
    const weights = [9, 1, 0].map((weight, i) => ({ value: `192.0.2.${i}`, weight }))
    await record('weighted/A', 'PUT', { routing: 'weighted', answers: weights })
    const seen = new Map<string, number>()
    for (let i = 0; i < 150; i++) {
      for (const [address = ''] of await answers('weighted')) seen.set(address, (seen.get(address) ?? 0) + 1)
    }
    // 300 answers: 30 +- 5.2 of the second; six deviations each way.
    expect([...seen.keys()].sort()).toEqual(['192.0.2.0', '192.0.2.1'])
    expect(seen.get('192.0.2.1')).toBeGreaterThan(0)
    expect(seen.get('192.0.2.1')).toBeLessThan(62)
  })

  test('a secondary may transfer its zone, is told of changes, and nobody transfers another one', async () => {
    const [first] = nodes as [MachineAccess]
    const own = await ownAddress(first.address)
    const notified = new Set<string>()
    const socket = createSocket('udp4')
    socket.on('message', (message) => {
      for (const question of decode(message).questions ?? []) notified.add(question.name)
    })
    const isListening = await new Promise<boolean>((resolve) => {
      socket.once('error', () => resolve(false))
      socket.bind(53, own, () => resolve(true))
    })
    try {
      await box.change(name, 'PUT', '/zones/out.example', { secondaries: [own] })
      await box.change(name, 'PUT', '/zones/out.example/records/www/A', { value: '192.0.2.4' })
      expect(await transfer(first.address, 'out.example')).toEqual([
        'out.example SOA',
        ...['out.example NS', 'out.example NS', 'ns1.out.example A', 'ns2.out.example A', 'www.out.example A'],
        'out.example SOA',
      ])
      expect(await transfer(first.address, zone)).toEqual(['NOTAUTH'])
      // Where the box has a name server of its own, nobody can be told.
      if (isListening) await until(() => notified.has('out.example'))
    } finally {
      socket.close()
    }
    await box.change(name, 'PUT', '/zones/out.example', {})
    expect(await transfer(first.address, 'out.example')).toEqual(['NOTAUTH'])
  })

  test('a transfer key is needed where a zone has one, and nothing of it stays in the journal', async () => {
    const [first] = nodes as [MachineAccess]
    const key = { name: 'transfer.example', secret: randomBytes(32).toString('base64') }
    await box.putSecret(name, 'TRANSFER_KEY', key.secret)
    const own = await ownAddress(first.address)
    const keyed = {
      zone: 'keyed.example',
      secondaries: [own],
      transferKey: { name: key.name, secret: '${secrets.TRANSFER_KEY}' },
    }
    await box.operate(name, blueprint(name, { ...section('192.0.2.1'), zones: [keyed] }))
    expect(await transfer(first.address, 'keyed.example')).toEqual(['NOTAUTH'])
    const wrong = { ...key, secret: randomBytes(32).toString('base64') }
    expect(await transfer(first.address, 'keyed.example', wrong)).toEqual(['NOTAUTH'])
    for (const { address } of nodes) expect(await transfer(address, 'keyed.example', key)).toContain('keyed.example NS')
    expect(await transfer(first.address, zone, key)).toEqual(['NOTAUTH'])
    const leftBehind = () =>
      box.run(first, "ss -Hltn '( sport = 53880 or sport = 53881 )'; ls /run | grep kitbag-keys || true")
    expect(await leftBehind()).toBe('')
    // In brackets, so that the journal's line about this command is none of them.
    const pattern = `[${key.secret.slice(0, 1)}]${key.secret.slice(1)}`
    expect(await box.run(first, `journalctl --no-pager | grep -c '${pattern}' || true`)).toBe('0')
    expect((await box.operate(name, { kind: 'check' })).result.drift).toEqual([])
    // Another secret under the same name takes the old one's place, also where a run before was killed in the middle.
    const folder = '/run/kitbag-keys'
    const settings =
      `launch=bind bind-config=${folder}/named.conf local-address=127.0.0.1 local-port=53880 socket-dir=${folder}
      webserver=yes webserver-address=127.0.0.1 webserver-port=53881 api=yes api-key=old`.split(/\s+/)
    await box.run(
      first,
      `mkdir ${folder} && : >${folder}/named.conf && printf '%s\\n' ${settings.join(' ')} >${folder}/pdns.conf`,
    )
    await box.run(
      first,
      `setsid pdns_server --config-dir=${folder} --daemon=no --guardian=no >/dev/null 2>&1 </dev/null &`,
    )
    await until(async () => (await leftBehind()).includes('53881'))
    await box.putSecret(name, 'TRANSFER_KEY', wrong.secret)
    await box.operate(name, blueprint(name, { ...section('192.0.2.1'), zones: [keyed] }))
    expect(await transfer(first.address, 'keyed.example', key)).toEqual(['NOTAUTH'])
    expect(await transfer(first.address, 'keyed.example', wrong)).toContain('keyed.example NS')
    expect(await leftBehind()).toBe('')
  })

  test('a zone file changed by hand is found, and repaired by the next push', async () => {
    const [first] = nodes as [MachineAccess]
    const file = `/etc/powerdns/kitbag/zones/${zone}.zone`
    await box.run(first, `sed -i 's/192.0.2.1$/192.0.2.66/' ${file} && pdns_control bind-reload-now ${zone}`)
    expect(await ask(first.address, `www.${zone}`, 'A')).toEqual(['192.0.2.66'])
    const { result } = await box.operate(name, { kind: 'check' })
    const drift = { machine: first.name, resource: `file:${file}` }
    expect(result.drift).toContainEqual(expect.objectContaining(drift))
    await record('push/A', 'PUT', { value: '192.0.2.5' })
    expect(await answers('www')).toEqual(both('192.0.2.1'))
    expect((await box.operate(name, { kind: 'check' })).result.drift).toEqual([])
  })

  test('killed with -9, the server comes back', async () => {
    const [first] = nodes as [MachineAccess]
    await box.run(first, 'systemctl kill --signal=KILL pdns')
    await until(async () => (await askIfThere(first.address, `www.${zone}`, 'A'))[0] === '192.0.2.1')
    expect(await answers('api')).toEqual(both('192.0.2.7', '192.0.2.8'))
  })

  test('nodes serve while the control plane is stopped, also after a restart of their server', async () => {
    const [first, second] = nodes as [MachineAccess, MachineAccess]
    const guest = await guestAt(box.plane.home, first.address)
    await box.without(async () => {
      const restart = guest.run('systemctl restart pdns')
      expect(await ask(second.address, `www.${zone}`, 'A')).toEqual(['192.0.2.1'])
      await restart
      expect(await answers('api')).toEqual(both('192.0.2.7', '192.0.2.8'))
    })
    await until(async () => (await zones()).every(({ level }) => level))
  })

  test('a node that cannot be reached is told of, the other has the change, and it is brought level when it is back', async () => {
    const [first, second] = nodes as [MachineAccess, MachineAccess]
    const guest = await guestAt(box.plane.home, second.address)
    await guest.run('ip link set host0 down')
    try {
      const { result } = await record('away/A', 'PUT', { value: '192.0.2.12' })
      expect(result.behind).toEqual([{ machine: second.name, message: expect.stringContaining('cannot be reached') }])
      expect(await ask(first.address, `away.${zone}`, 'A')).toEqual(['192.0.2.12'])
    } finally {
      await guest.run('ip link set host0 up')
    }
    await until(async () => (await askIfThere(second.address, `away.${zone}`, 'A'))[0] === '192.0.2.12')
    await until(async () => (await zones()).every(({ level }) => level))
  })

  test('a lost node’s place is taken by a new one, which is brought level', async () => {
    const [first, second] = nodes as [MachineAccess, MachineAccess]
    await box.lose(name, second.name)
    expect(await ask(first.address, `api.${zone}`, 'A')).toEqual(['192.0.2.7', '192.0.2.8'])
    const { result } = await record('late/A', 'PUT', { value: '192.0.2.6' })
    expect(result.behind).toEqual([{ machine: second.name, message: expect.stringContaining('cannot be reached') }])
    expect(await ask(first.address, `late.${zone}`, 'A')).toEqual(['192.0.2.6'])
    await box.operate(name, blueprint(name, { ...section('192.0.2.1'), nameservers: 1 }))
    expect(await ask(first.address, zone, 'NS')).toEqual(['ns1.shop.example'])
    await box.operate(name, blueprint(name, section('192.0.2.1')))
    nodes = await box.nodes(name)
    expect(nodes).toHaveLength(2)
    expect(nodes[1]?.id).not.toBe(second.id)
    expect(await answers('late')).toEqual(both('192.0.2.6'))
    expect(await answers('api')).toEqual(both('192.0.2.7', '192.0.2.8'))
    expect([await answers('ns1'), await answers('ns2')]).toEqual(nodes.map(({ address }) => both(address)))
    for (const one of await zones()) expect(one.level).toBe(true)
  })

  test('100,000 records', { timeout: 300_000 }, async () => {
    await box.change(name, 'PUT', '/zones/big.example', {})
    const lines = Array.from(
      { length: 100_000 },
      (_, i) => `h${i} A 10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`,
    )
    const taken = await box.change(name, 'POST', '/zones/big.example/file', { text: lines.join('\n') })
    const last = () => Promise.all(nodes.map(({ address }) => ask(address, 'h99999.big.example', 'A')))
    expect(await last()).toEqual(both('10.1.134.159'))
    const other = await record('small/A', 'PUT', { value: '192.0.2.1' })
    const deployed = await box.operate(name, blueprint(name, section('192.0.2.11')))
    expect(await answers('www')).toEqual(both('192.0.2.11'))
    const seconds = [taken, other, deployed].map((one) => one.seconds)
    console.log(`100,000 records: import, change of another zone, deploy: ${seconds.join(', ')} s`)
    await box.change(name, 'DELETE', '/zones/big.example')
    expect(await last()).toEqual(both('REFUSED'))
  })
})
