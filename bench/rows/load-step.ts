import { request } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { installByHand, shopWebPackages } from '../floors/install-by-hand.ts'
import type { Bench, Family } from '../support/bench.ts'
import { changedShop } from '../support/changed-shop.ts'
import { createFleet, type Fleet } from '../support/fleet.ts'
import { destroy, type Operation, type Plane } from '../support/plane.ts'
import type { Measured } from '../support/row.ts'
import { say } from '../support/say.ts'

const name = 'load-step'
/** Requests a second before and after the step; at 50 for each machine one machine and six. */
const [before, after, machines] = [36, 288, 6]
/** Seconds between two looks of the autoscaler. */
const interval = 5
const policy = {
  component: 'web',
  min: 1,
  max: 8,
  target: { metric: 'requests-per-second-per-machine', value: 50 },
  interval: `${interval}s`,
  cooldown: { out: '5s', in: '10s' },
  stabilisation: '10s',
  warmUp: '5s',
}
const rounds = 3

/** What of an operation is looked at. */
interface ScaleOperation extends Operation {
  kind: string
  createdAt: string
  finishedAt: string | null
}

interface Pace {
  setRate(rate: number): void
  stop(): { total: number; failed: number }
}

/** Requests at an even rate, whatever the answers do: those of one moment do not wait for those before. */
function paced(url: string): Pace {
  let [rate, owed, total, failed] = [0, 0, 0, 0]
  let last = Date.now()
  const send = () => {
    total++
    const sent = request(url, { agent: false, timeout: 10_000, rejectUnauthorized: false }, (response) => {
      if (response.statusCode !== 200) failed++
      response.resume()
    })
    sent.on('timeout', () => sent.destroy(new Error('silence')))
    sent.on('error', () => failed++)
    sent.end()
  }
  const timer = setInterval(() => {
    const now = Date.now()
    owed += ((now - last) / 1_000) * rate
    last = now
    for (; owed >= 1; owed--) send()
  }, 20)
  return {
    setRate(next) {
      rate = next
    },
    stop() {
      clearInterval(timer)
      return { total, failed }
    },
  }
}

/** Machines that every load balancer sends to. Asked of the API: the start of a command each time would take a share of the processors. */
async function serving({ client }: Plane): Promise<number> {
  const path = `/v1/deployments/${name}/load-balancers/loadBalancer/statistics`
  const shown = await client.json<{
    nodes: { node: string }[]
    servers: { node: string; backend: string; server: string; status: string }[]
  }>('GET', path)
  const up = shown.servers.filter(
    ({ backend, server, status }) => backend === 'web' && server !== 'BACKEND' && status === 'UP',
  )
  return Math.min(...shown.nodes.map(({ node }) => up.filter((server) => server.node === node).length))
}

/** Milliseconds until so many machines serve. */
async function untilServing(bench: Bench, plane: Plane, wanted: (count: number) => boolean): Promise<number> {
  const start = performance.now()
  while (!wanted(await serving(plane))) {
    if (performance.now() - start > 600_000) throw new Error(`${await serving(plane)} machines serve after 10 minutes`)
    await sleep(500, undefined, { signal: bench.signal })
  }
  return performance.now() - start
}

/**
 * The best there is, in seconds: as many machines booted and installed side by side by hand, while the load is already what it grows to and
 * nobody else makes machines.
 */
async function byHand(bench: Bench, plane: Plane, fleet: Fleet, pace: Pace): Promise<number> {
  await plane.kitbag(['autoscaler', 'pause', name])
  pace.setRate(after)
  const chains = Array.from({ length: machines - 1 }, (_, i) => ({
    machine: `web-${i + 2}`,
    packages: shopWebPackages,
    services: [],
  }))
  const taken = await installByHand(fleet, chains)
  pace.setRate(before)
  // Until the load before is all that a look knows of.
  await sleep(3 * interval * 1_000, undefined, { signal: bench.signal })
  await plane.kitbag(['autoscaler', 'resume', name])
  return taken
}

/** How long after the step each change of size was asked for, and how long it took. */
async function changesSince(plane: Plane, step: number): Promise<string> {
  const { items } = await plane.client.json<{ items: ScaleOperation[] }>(
    'GET',
    `/v1/operations?deployment=${name}&limit=50`,
  )
  return items
    .filter(({ kind, createdAt }) => kind === 'scale' && Date.parse(createdAt) >= step)
    .map(({ createdAt, finishedAt }) => {
      const [asked, ended] = [Date.parse(createdAt), finishedAt ? Date.parse(finishedAt) : Date.now()]
      return `asked for after ${((asked - step) / 1_000).toFixed(1)} s, took ${((ended - asked) / 1_000).toFixed(1)} s`
    })
    .reverse()
    .join('; ')
}

async function run(bench: Bench): Promise<Measured[]> {
  const plane = await bench.plane()
  const fleet = await createFleet(bench)
  bench.cleanup.add(name, () => destroy(plane, name))
  const blueprint = changedShop(bench, (document) => document.setIn(['toolkit', 'autoscaler', 0], policy))
  await plane.kitbag(['deploy', blueprint, '--name', name, '--cloud', 'home', '--set', 'replicas=1'])
  const { components } = (await plane.kitbag(['show', name])) as {
    components: { name: string; outputs: { host?: string } }[]
  }
  const address = components.find((component) => component.name === 'loadBalancer')?.outputs.host
  const pace = paced(`https://${address}/ping`)
  bench.cleanup.add('pace', () => void pace.stop())
  const ratios: number[] = []
  for (let round = 0; round < rounds; round++) {
    pace.setRate(before)
    await untilServing(bench, plane, (count) => count === 1)
    const floor = await byHand(bench, plane, fleet, pace)
    const step = Date.now()
    pace.setRate(after)
    const taken = (await untilServing(bench, plane, (count) => count >= machines)) / 1_000
    const best = floor + interval
    ratios.push(taken / best)
    say(
      `   ${round + 1} of ${rounds}: over target for ${taken.toFixed(1)} s, at best ${best.toFixed(1)} s; ${await changesSince(plane, step)}`,
    )
  }
  const { total, failed } = pace.stop()
  const value = [...ratios].sort((a, b) => a - b)[rounds >> 1] ?? Number.NaN
  const detail = `${before} to ${after} requests/s, 1 to ${machines} machines, ${rounds} steps; ${failed} of ${total} requests failed`
  return [{ value, holds: failed === 0, detail }]
}

export const loadStep: Family = {
  name,
  rows: [
    {
      name,
      what: 'the load of the shop grows eightfold: time with more than 50 requests/s for each machine, against boot, installs by hand and one look',
      unit: 'x',
      bar: { atMost: 1.5 },
    },
  ],
  run,
}
