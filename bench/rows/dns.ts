import { join } from 'node:path'
import { root } from '../../demo/paths.ts'
import type { MachineAccess } from '../../src/model/machine.ts'
import type { Reach } from '../../src/model/reach.ts'
import { powerdnsByHand } from '../floors/powerdns.ts'
import type { Bench, Family } from '../support/bench.ts'
import { machinesOf } from '../support/control-plane-machines.ts'
import { cpuTime } from '../support/cpu-time.ts'
import { askAddresses } from '../support/dns-question.ts'
import { runScript } from '../support/fleet.ts'
import { median } from '../support/measure.ts'
import { destroy, ended, type Operation, type Plane } from '../support/plane.ts'
import type { Measured } from '../support/row.ts'
import { say } from '../support/say.ts'

const zone = 'bench.example'
const names = 1000
const pairs = 15
/** Seconds of questions for one figure. */
const duration = 3
const changes = 200
const failovers = 5

/** Of the checks of DNS: two intervals of 2 s and a timeout of 2 s. */
const failoverBar = 6

interface Setting {
  plane: Plane
  reach: Reach
  nodes: MachineAccess[]
  floor: MachineAccess
  client: MachineAccess
}

async function deployed(bench: Bench): Promise<Setting> {
  const plane = await bench.plane()
  bench.cleanup.add('dns', () => destroy(plane, 'dns'))
  await plane.kitbag(['deploy', join(root, 'bench/dns.yaml'), '--cloud', 'home'])
  const { machines, reach } = await machinesOf(bench, plane, 'dns')
  const named = (name: string) => machines.filter((machine) => machine.name.startsWith(name))
  const [[floor], [client]] = [named('floor'), named('client')]
  if (!floor || !client) throw new Error('a machine is missing')
  return { plane, reach, nodes: named('dns'), floor, client }
}

const changed = async ({ plane }: Setting, method: string, path: string, body: object) => {
  const operation = await plane.client.json<Operation>(method, `/v1/deployments/dns/dns/dns/zones/${path}`, body)
  return ended(plane, operation.id)
}

interface Rate {
  perSecond: number
  sent: number
  lost: number
  /** Microseconds of CPU that one answer took. */
  cpu: number
}

/** Answers of one server, as dnsperf sees it. Throws when it answered anything but what was asked for. */
async function answersOf({ reach, client }: Setting, server: MachineAccess): Promise<Rate> {
  const used = () => cpuTime(reach, server, ['pdns_server'])
  const before = await used()
  const said = await runScript(
    reach,
    client,
    `dnsperf -s ${server.address} -d /root/questions -l ${duration} -c 8 -T 2 -q 200 2>&1`,
  )
  const [perSecond, sent, lost] = [/per second:\s+([\d.]+)/, /Queries sent:\s+(\d+)/, /lost:\s+(\d+)/].map((found) =>
    Number(found.exec(said)?.[1]),
  ) as [number, number, number]
  if (!(perSecond > 0) || !/NOERROR \d+ \(100\.00%\)/.test(said)) throw new Error(`dnsperf: ${said.slice(-800)}`)
  return { perSecond, sent, lost, cpu: ((await used()) - before) * (1e6 / sent) }
}

async function plain(setting: Setting): Promise<Measured> {
  const { reach, nodes, floor, client } = setting
  const lines = Array.from({ length: names }, (_, i) => `h${i} 60 IN A 10.0.${i >> 8}.${i & 255}`)
  await changed(setting, 'POST', `${zone}/file`, { text: `${lines.join('\n')}\n` })
  const soa = `@ 60 IN SOA ns1.${zone}. hostmaster.${zone}. 1 86400 7200 3600000 60`
  const head = [`$ORIGIN ${zone}.`, soa, `@ 60 IN NS ns1.${zone}.`, `ns1 60 IN A ${floor.address}`]
  await runScript(reach, floor, powerdnsByHand(zone, `${[...head, ...lines].join('\n')}\n`))
  const questions = lines.map((_, i) => `h${i}.${zone} A`).join('\n')
  await runScript(reach, client, `cat >/root/questions <<'END'\n${questions}\nEND\n`)
  const [node] = nodes as [MachineAccess]
  const rates: Record<'floor' | 'kitbag', Rate[]> = { floor: [], kitbag: [] }
  for (let pair = 0; pair < pairs; pair++) {
    // The one that goes first would be the one that meets whatever the other left.
    const order = pair % 2 === 0 ? (['floor', 'kitbag'] as const) : (['kitbag', 'floor'] as const)
    for (const side of order) rates[side].push(await answersOf(setting, side === 'floor' ? floor : node))
    say(`   ${pair + 1} of ${pairs}: by hand ${text(rates.floor)}, kitbag ${text(rates.kitbag)}`)
  }
  const middle = (side: Rate[]) => {
    const cpu = median(side.map((rate) => rate.cpu)).toFixed(1)
    return `${Math.round(median(side.map(({ perSecond }) => perSecond)))} /s at ${cpu} us of CPU`
  }
  const sum = (side: Rate[]) => `${total(side, 'lost')} of ${total(side, 'sent')}`
  const ratios = rates.kitbag.map(({ cpu }, i) => (rates.floor[i]?.cpu ?? Number.NaN) / cpu)
  return {
    value: median(ratios),
    detail: `${middle(rates.kitbag)} against ${middle(rates.floor)}, 1 cpu each; ${sum(rates.kitbag)} and ${sum(rates.floor)} lost; ${pairs} pairs`,
  }
}

function text(rates: Rate[]): string {
  const last = rates.at(-1)
  return `${Math.round(last?.perSecond ?? Number.NaN)} /s at ${last?.cpu.toFixed(1)} us of CPU`
}

function total(rates: Rate[], field: 'sent' | 'lost'): number {
  return rates.reduce((sum, rate) => sum + rate[field], 0)
}

/** From the API's 202 until every node answers the new address. */
async function changeTimes(setting: Setting): Promise<Measured> {
  const { plane, nodes } = setting
  const taken: number[] = []
  for (let i = 0; i < changes; i++) {
    const address = `10.1.${i >> 8}.${i & 255}`
    const path = `/v1/deployments/dns/dns/dns/zones/${zone}/records/change/A`
    const operation = await plane.client.json<Operation>('PUT', path, { value: address, ttl: '1s' })
    const accepted = performance.now()
    await Promise.all(nodes.map((node) => untilAnswers(node, 'change', [address])))
    taken.push((performance.now() - accepted) / 1000)
    await ended(plane, operation.id)
  }
  taken.sort((a, b) => a - b)
  const p99 = taken[Math.ceil(0.99 * changes) - 1] ?? Number.NaN
  const worst = taken.at(-1)?.toFixed(2)
  return { value: p99, detail: `${changes} changes on 2 nodes; median ${median(taken).toFixed(2)} s, worst ${worst} s` }
}

async function untilAnswers(node: MachineAccess, name: string, expected: string[], limit = 60_000): Promise<void> {
  for (const end = Date.now() + limit; ; ) {
    const found = await askAddresses(node.address, `${name}.${zone}`)
    if (JSON.stringify(found) === JSON.stringify(expected)) return
    if (Date.now() > end) throw new Error(`${node.name} answers ${name} with ${found}, not ${expected}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** `$$` is how systemd-run writes one `$`. */
const listener = `perl -MIO::Socket::INET -e '$$s = IO::Socket::INET->new(LocalPort => 8080, Listen => 50, ReuseAddr => 1); $$s->accept while 1'`

/** From the moment a machine dies until no node answers its address: its port closed, and its network gone, in turn. */
async function failover(setting: Setting): Promise<Measured> {
  const { reach, nodes, floor, client } = setting
  const targets = [floor, client].map(({ address }) => address).sort()
  const start = (machine: MachineAccess) =>
    runScript(reach, machine, `systemd-run --quiet --collect --unit=listener ${listener}`)
  // No blueprint declares the port that is checked; the machine by hand has no firewall already.
  await runScript(reach, client, 'nft delete table inet kitbag')
  await Promise.all([start(floor), start(client)])
  await changed(setting, 'PUT', `${zone}/records/live/A`, { value: targets, health: { tcp: 8080 }, ttl: '1s' })
  const all = (expected: string[]) => Promise.all(nodes.map((node) => untilAnswers(node, 'live', expected)))
  const taken: number[] = []
  for (let i = 0; i < failovers; i++) {
    await all(targets)
    // As soon as the machine is dead; it says so before.
    const dead =
      i % 2 === 0
        ? 'systemctl stop listener'
        : "systemd-run --quiet --collect sh -c 'ip link set host0 down; sleep 15; ip link set host0 up'"
    await runScript(reach, floor, dead)
    const died = performance.now()
    await all([client.address])
    taken.push((performance.now() - died) / 1000)
    say(`   ${i + 1} of ${failovers}: ${taken.at(-1)?.toFixed(2)} s`)
    if (i % 2 === 0) await start(floor)
  }
  const detail = `worst of ${failovers}, port closed and network gone in turn: ${taken.map((one) => one.toFixed(1)).join(', ')} s; 2 checks of 2 s and a timeout of 2 s`
  return { value: Math.max(...taken), detail }
}

async function run(bench: Bench): Promise<Measured[]> {
  const setting = await deployed(bench)
  return [await plain(setting), await changeTimes(setting), await failover(setting)]
}

export const dns: Family = {
  name: 'dns',
  rows: [
    {
      name: 'dns-plain',
      what: 'answers of plain records per second of CPU by a name server as deployed, against PowerDNS by hand (dnsperf)',
      unit: 'x',
      bar: { atLeast: 0.98 },
    },
    {
      name: 'dns-change',
      what: `a record changed through the API: accepted to all nodes answering it, 99th percentile of ${changes}`,
      unit: 's',
      bar: { atMost: 1 },
    },
    {
      name: 'dns-failover',
      what: 'a machine dies: until no name server answers its address',
      unit: 's',
      bar: { atMost: failoverBar },
    },
  ],
  run,
}
