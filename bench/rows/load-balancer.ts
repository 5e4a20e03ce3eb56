import { join } from 'node:path'
import { root } from '../../demo/paths.ts'
import type { MachineAccess } from '../../src/model/machine.ts'
import type { Reach } from '../../src/model/reach.ts'
import { haproxyByHand } from '../floors/haproxy.ts'
import type { Bench, Family } from '../support/bench.ts'
import { machinesOf } from '../support/control-plane-machines.ts'
import { cpuTime } from '../support/cpu-time.ts'
import { runScript } from '../support/fleet.ts'
import { median } from '../support/measure.ts'
import { destroy, type Plane } from '../support/plane.ts'
import type { Measured } from '../support/row.ts'
import { say } from '../support/say.ts'

const pairs = 15
/** Seconds of requests for one figure. */
const duration = 3
const connections = 50
const failovers = 6

interface Setting {
  plane: Plane
  reach: Reach
  node: MachineAccess
  floor: MachineAccess
  client: MachineAccess
  web: MachineAccess[]
}

async function deployed(bench: Bench): Promise<Setting> {
  const plane = await bench.plane()
  bench.cleanup.add('load-balancer', () => destroy(plane, 'load-balancer'))
  await plane.kitbag(['deploy', join(root, 'bench/load-balancer.yaml'), '--cloud', 'home'])
  const { machines, reach } = await machinesOf(bench, plane, 'load-balancer')
  const named = (name: string) => machines.filter((machine) => machine.name.startsWith(`${name}-`))
  const [[node], [floor], [client]] = [named('load-balancer'), named('floor'), named('client')]
  if (!node || !floor || !client) throw new Error('a machine is missing')
  const web = named('web')
  const certificate = await runScript(reach, node, 'cat "$(grep -o "crt [^ ]*" /etc/haproxy/haproxy.cfg | cut -c 5-)"')
  await runScript(
    reach,
    floor,
    haproxyByHand(
      web.map(({ address }) => address),
      certificate.trim(),
    ),
  )
  return { plane, reach, node, floor, client, web }
}

interface Rate {
  perSecond: number
  /** Microseconds of CPU that one answer took, its line in the log included. */
  cpu: number
}

/** Answers of one load balancer, as wrk sees it. Throws when one was anything but 200. */
async function answersOf({ reach, client }: Setting, server: MachineAccess, protocol: string): Promise<Rate> {
  const used = () => cpuTime(reach, server, ['haproxy', 'systemd-journald'])
  const before = await used()
  const url = `${protocol}://${server.address}/`
  const said = await runScript(reach, client, `wrk -t 2 -c ${connections} -d ${duration}s ${url} 2>&1`)
  const [rate, requests] = [/Requests\/sec:\s+([\d.]+)/, /(\d+) requests in/].map((found) => found.exec(said)?.[1])
  if (rate === undefined || /Non-2xx|Socket errors/.test(said)) throw new Error(`wrk: ${said.slice(-500)}`)
  return { perSecond: Number(rate), cpu: ((await used()) - before) * (1e6 / Number(requests)) }
}

async function compare(setting: Setting, protocol: 'http' | 'https'): Promise<Measured> {
  const { node, floor } = setting
  const rates = { floor: [] as Rate[], kitbag: [] as Rate[] }
  for (let pair = 0; pair < pairs; pair++) {
    // Whoever goes first meets what the other left.
    const order = pair % 2 === 0 ? (['floor', 'kitbag'] as const) : (['kitbag', 'floor'] as const)
    for (const side of order) rates[side].push(await answersOf(setting, side === 'floor' ? floor : node, protocol))
    say(`   ${pair + 1} of ${pairs}: by hand ${text(rates.floor.at(-1))}, kitbag ${text(rates.kitbag.at(-1))}`)
  }
  const middle = (side: Rate[]): Rate => ({
    perSecond: median(side.map(({ perSecond }) => perSecond)),
    cpu: median(side.map(({ cpu }) => cpu)),
  })
  return {
    value: median(rates.kitbag.map(({ cpu }, i) => (rates.floor[i]?.cpu ?? Number.NaN) / cpu)),
    detail: `${text(middle(rates.kitbag))} against ${text(middle(rates.floor))}, ${connections} connections, 1 cpu each, ${pairs} pairs`,
  }
}

/** `9000 /s at 80 us` */
function text({ perSecond, cpu }: Rate = { perSecond: Number.NaN, cpu: Number.NaN }): string {
  return `${Math.round(perSecond)} /s at ${cpu.toFixed(1)} us of CPU`
}

/** From the moment a machine dies until HAProxy sends it nothing: its port closed, and its network gone, in turn. */
async function failover({ reach, node, web }: Setting): Promise<Measured> {
  const [target] = web as [MachineAccess]
  const isUp = async () => {
    const command = "echo 'show stat' | socat stdio /run/haproxy/kitbag.sock"
    const status = (await runScript(reach, node, command)).split('\n').find((line) => line.includes(`,${target.name},`))
    return status?.split(',')[17]?.startsWith('UP') ?? false
  }
  const until = async (up: boolean) => {
    for (const end = Date.now() + 60_000; (await isUp()) !== up; ) {
      if (Date.now() > end) throw new Error(`${target.name} is not ${up ? 'up' : 'down'}`)
    }
  }
  await runScript(reach, node, 'apt-get install -qq -y --no-install-recommends socat </dev/null >/dev/null 2>&1')
  const taken: number[] = []
  for (let i = 0; i < failovers; i++) {
    await until(true)
    const dead =
      i % 2 === 0
        ? 'systemctl kill --signal=KILL nginx && systemctl stop nginx'
        : "systemd-run --quiet --collect sh -c 'ip link set host0 down; sleep 8; ip link set host0 up'"
    await runScript(reach, target, dead)
    const died = performance.now()
    await until(false)
    taken.push((performance.now() - died) / 1000)
    say(`   ${i + 1} of ${failovers}: ${taken.at(-1)?.toFixed(2)} s`)
    if (i % 2 === 0) await runScript(reach, target, 'systemctl start nginx')
  }
  const detail = `worst of ${failovers}, port closed and network gone in turn: ${taken.map((one) => one.toFixed(2)).join(', ')} s; 2 checks of 0.5 s and a timeout of 2 s`
  return { value: Math.max(...taken), detail }
}

async function run(bench: Bench): Promise<Measured[]> {
  const setting = await deployed(bench)
  return [await compare(setting, 'http'), await compare(setting, 'https'), await failover(setting)]
}

export const loadBalancer: Family = {
  name: 'load-balancer',
  rows: [
    {
      name: 'lb-http',
      what: 'http: answers per second of CPU by a load balancer as deployed, against HAProxy by hand with the same log, checks and retries (wrk)',
      unit: 'x',
      bar: { atLeast: 0.98 },
    },
    {
      name: 'lb-https',
      what: 'https: the same, with the same certificate',
      unit: 'x',
      bar: { atLeast: 0.98 },
    },
    {
      name: 'lb-failover',
      what: 'a machine dies: until the load balancer sends it nothing',
      unit: 's',
      bar: { atMost: 3 },
    },
  ],
  run,
}
