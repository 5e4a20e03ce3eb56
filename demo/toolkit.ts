import { Resolver } from 'node:dns/promises'
import { get } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Load, startLoad } from '../bench/load.ts'
import type { ControlPlane } from './control-plane.ts'
import { destroy, toolkitDeployment } from './destroy.ts'
import { kitbag } from './kitbag.ts'
import { toolkitBlueprint } from './paths.ts'
import { check, type Summary, say } from './report.ts'

const host = 'www.shop.example'

interface Machine {
  name: string
  component: string
  status: string
  address: string
}

/** The shop with its whole toolkit: names, https, its page, and a load that makes it grow and shrink by itself. */
export async function showToolkit(plane: ControlPlane, summary: Summary, signal: AbortSignal): Promise<void> {
  const { env } = plane
  await kitbag(['deploy', toolkitBlueprint, '--name', toolkitDeployment, '--cloud', 'home'], {
    env,
    show: true,
    signal,
  })
  const machines = await machinesOf(plane)
  summary.machines = Math.max(summary.machines, machines.length)
  const balancers = addressesOf(machines, 'loadBalancer')
  await checkNames(summary, addressesOf(machines, 'dns'), balancers)

  const { certificate } = (await kitbag(['certificates', 'ca', toolkitDeployment], { env })) as { certificate: string }
  const answers = await Promise.all(balancers.map((address) => getSecurely(address, certificate)))
  check(
    summary,
    'https with a certificate of the deployment’s own authority',
    answers.length === 2 && answers.every((status) => status === 200),
    `${host} at ${balancers.join(' and ')} answers ${answers.join(' and ')}`,
  )

  await scaleByLoad(plane, summary, balancers[0] ?? '', certificate, signal)
  await checkPage(plane, summary)
  await destroy(plane, toolkitDeployment)
}

async function machinesOf({ env }: ControlPlane): Promise<Machine[]> {
  return ((await kitbag(['show', toolkitDeployment], { env })) as { machines: Machine[] }).machines
}

function addressesOf(machines: Machine[], component: string): string[] {
  return machines.filter((machine) => machine.component === component).map(({ address }) => address)
}

async function checkNames(summary: Summary, nameservers: string[], wanted: string[]): Promise<void> {
  const answers = await Promise.all(
    nameservers.map(async (nameserver) => {
      const resolver = new Resolver({ timeout: 2_000, tries: 3 })
      resolver.setServers([nameserver])
      return (await resolver.resolve4(host)).sort().join(' ')
    }),
  )
  const same = answers.length === 2 && answers.every((answer) => answer === [...wanted].sort().join(' '))
  check(summary, 'both name servers answer', same, `${host} is ${answers.join(' and ')}`)
}

function getSecurely(address: string, ca: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const options = { host: address, path: '/ping', servername: host, headers: { host }, ca, agent: false as const }
    get({ ...options, timeout: 10_000 }, (response) => {
      response.resume()
      resolve(response.statusCode)
    }).on('error', reject)
  })
}

/** Seconds for the autoscaler to see a load and have machines serve it, or to let them go. */
const patience = 180

async function scaleByLoad(plane: ControlPlane, summary: Summary, address: string, ca: string, signal: AbortSignal) {
  const began = performance.now()
  const load = startLoad(`https://${address}/ping`, {
    connections: 20,
    keepAlive: true,
    tls: { ca: [ca], servername: host },
  })
  const out = await sizeReaches(plane, (size) => size > 2, signal).finally(() => stop(load, summary))
  const grown = Math.round((performance.now() - began) / 1_000)
  check(summary, 'a load makes it grow by itself', out > 2, `web has ${out} machines after ${grown} s of load`)
  const back = await sizeReaches(plane, (size) => size === 2, signal)
  check(summary, 'without the load it shrinks again', back === 2, `web has ${back} machines`)
  await kitbag(['autoscaler', 'explain', toolkitDeployment], { env: plane.env, show: true, signal })
}

async function stop(load: Load, summary: Summary): Promise<void> {
  const { total, failed, failures } = await load.stop()
  summary.requests.total += total
  summary.requests.failed += failed
  check(summary, 'no request was lost while it grew', failed === 0, `${failed} of ${total} failed`)
  if (failed > 0) say(`   failed requests: ${JSON.stringify(failures)}`)
}

/** Machines of the shop that serve, once they are as wanted or it took too long. */
async function sizeReaches(plane: ControlPlane, wanted: (size: number) => boolean, signal: AbortSignal) {
  const end = Date.now() + patience * 1_000
  for (;;) {
    const web = (await machinesOf(plane)).filter(({ component }) => component === 'web')
    const size = web.filter(({ status }) => status === 'ready').length
    const settled = web.length === size
    if ((wanted(size) && settled) || Date.now() > end) return size
    await sleep(1_000, undefined, { signal })
  }
}

async function checkPage({ url, token }: ControlPlane, summary: Summary): Promise<void> {
  const page = `${url}/deployments/${toolkitDeployment}`
  const response = await fetch(page, { headers: { authorization: `Bearer ${token}` } })
  const charts = (await response.text()).split('<svg').length - 1
  check(summary, 'its page has charts', response.status === 200 && charts > 0, `${charts} charts at ${page}`)
}
