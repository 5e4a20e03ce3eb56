import { Resolver } from 'node:dns/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Deployment } from '../../../src/api/schemas/deployment.ts'
import { scan } from '../firewall/scan.ts'
import type { CloudUnderTest } from './guestbook.ts'

/** What people see of a deployment, with names of machines where there were addresses. */
export interface Observation {
  status: string
  machines: string[]
  /** Of the application, by its name and the load balancer. `machines`: how many of them answered. */
  answers: Record<string, string | string[] | number>
  /** Of the deployment's own name server. */
  names: Record<string, string[]>
  /** TCP ports of each machine that accept for somebody whom the blueprint does not know. */
  openToAnyone: Record<string, number[]>
  /** The same of the machines of `web` for that of the database, which refers to nobody. */
  openToDatabase: Record<string, number[]>
  /** Behind the load balancer. */
  servers: string[]
  /** What monitoring looks at; those that give nothing are marked. */
  targets: string[]
  /** Word for a figure -> components that it has a value of. */
  words: Record<string, string[]>
  /** Alerts that fire. */
  alerts: string[]
  /** What healing is not content with. */
  unwell: string[]
  health: Record<string, string>
  drift: unknown[]
}

const zone = 'guestbook.example'
const questions = [
  [zone, 'NS'],
  [`ns1.${zone}`, 'A'],
  [`www.${zone}`, 'A'],
  [`web.${zone}`, 'A'],
  [`about.${zone}`, 'TXT'],
  [`nothing.${zone}`, 'A'],
  ['other.example', 'A'],
] as const

/** Milliseconds that figures get: a word such as a latency has a value only after several looks of the monitoring. */
const patience = 240_000

/** Looks at a deployment until it is as expected, at what changes by itself; gives what was seen last. */
export async function observe(
  cloud: CloudUnderTest,
  name: string,
  { expected, ports }: { expected: Observation; ports: string },
): Promise<Observation> {
  const shown = await cloud.box.show(name)
  const addressOf = (machine: string) => shown.machines.find((one) => one.name === machine)?.address ?? ''
  const web = shown.machines.filter(({ component }) => component === 'web')
  const database = await cloud.guest(addressOf('db-1'))
  const [answers, names, openToAnyone, openToDatabase, drift, figures] = await Promise.all([
    answersOf(addressOf('dns-1')),
    namesAt(addressOf('dns-1'), shown),
    scan(shown.machines, ports),
    scan(web, ports, database),
    driftOf(cloud, name),
    settled(() => figuresOf(cloud, name, addressOf('dns-1')), expected),
  ])
  return { answers, names, openToAnyone, openToDatabase, drift, ...figures }
}

/** Looks until everything is as expected, or for as long as patience lasts. */
async function settled(look: () => Promise<Settling>, expected: Settling): Promise<Settling> {
  for (const end = Date.now() + patience; ; ) {
    const seen = await look()
    const wanted = Object.fromEntries(Object.keys(seen).map((key) => [key, expected[key as keyof Settling]]))
    if (isDeepStrictEqual(seen, wanted) || Date.now() > end) return seen
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

/** The application's address by its name. */
export async function siteOf(nameServer: string): Promise<string> {
  const [address] = await resolverAt(nameServer).resolve4(`www.${zone}`)
  return `http://${address}`
}

async function answersOf(nameServer: string): Promise<Observation['answers']> {
  const site = await siteOf(nameServer)
  const get = (path: string, init?: RequestInit) =>
    fetch(`${site}${path}`, { ...init, headers: { connection: 'close' }, signal: AbortSignal.timeout(60_000) })
  const said = async (response: Response) => `${response.status} ${(await response.text()).trim()}`
  const page = await get('/')
  const served = new Set<string | null>()
  for (let i = 0; i < 20; i++) {
    const response = await get('/ping')
    await response.arrayBuffer()
    served.add(response.headers.get('x-served-by'))
  }
  const entries = (await (await get('/entries')).json()) as { name: string; message: string }[]
  return {
    page: /<h1>(.*?)<\/h1>/.exec(await page.text())?.[1] ?? '',
    version: page.headers.get('x-release') ?? '',
    entries: entries.map((entry) => `${entry.name}: ${entry.message}`),
    'not there': await said(await get('/nothing')),
    'no entry': await said(await get('/entries', { method: 'POST', body: '{}' })),
    machines: served.size,
  }
}

async function namesAt(nameServer: string, { machines }: Deployment): Promise<Observation['names']> {
  const nameOf = (text: string) =>
    machines.find(({ addresses }) => addresses.some(({ address }) => address === text))?.name ?? text
  const resolver = resolverAt(nameServer)
  const answers = await Promise.all(
    questions.map(async ([name, type]) => {
      const answer = resolver.resolve(name, type).then(
        (found) => (found as (string | string[])[]).flat().map(nameOf).sort(),
        ({ code }) => [String(code)],
      )
      return [`${name} ${type}`, await answer] as const
    }),
  )
  return Object.fromEntries(answers)
}

function resolverAt(nameServer: string): Resolver {
  const resolver = new Resolver({ timeout: 5_000, tries: 5 })
  resolver.setServers([nameServer])
  return resolver
}

async function driftOf({ box }: CloudUnderTest, name: string): Promise<unknown[]> {
  const { status, result, error } = await box.finished(await box.submit(name, { kind: 'check' }))
  return status === 'succeeded' ? ((result?.drift ?? []) as unknown[]) : [error]
}

/** What becomes right by itself. */
type Settling = Omit<Observation, 'answers' | 'names' | 'openToAnyone' | 'openToDatabase' | 'drift'>

interface Figures {
  servers: { server: string; status: string; state: string }[]
  targets: { job: string; machine: string; up: boolean }[]
  metrics: { metric: string; component: string; value: number | null }[]
  alerts: { alert: string; state: string; machine: string }[]
  suspects: { machine: string; condition: string }[]
}

/** Asks the application and the name server too, so that there is something to count. */
async function figuresOf({ box }: CloudUnderTest, name: string, nameServer: string): Promise<Settling> {
  const ask = <K extends keyof Figures>(path: string) =>
    box.client.json<Pick<Figures, K>>('GET', `/v1/deployments/${name}/${path}`)
  const site = await siteOf(nameServer)
  for (let i = 0; i < 5; i++) await (await fetch(`${site}/ping`)).arrayBuffer()
  const [{ status, machines }, { servers }, { targets }, { metrics }, { alerts }, { suspects }, health] =
    await Promise.all([
      box.show(name),
      ask<'servers'>('load-balancers/loadBalancer/statistics'),
      ask<'targets'>('monitoring/monitoring/targets'),
      ask<'metrics'>('monitoring/monitoring/metrics'),
      ask<'alerts'>('monitoring/monitoring/alerts'),
      ask<'suspects'>('healing/healing/state'),
      healthOf({ box }, name),
    ])
  const words: Record<string, string[]> = {}
  for (const { metric, component, value } of metrics) {
    const components = words[metric] ?? []
    words[metric] = components
    if (value !== null) components.push(component)
  }
  for (const components of Object.values(words)) components.sort()
  return {
    status,
    machines: machines.map((one) => `${one.name}: ${one.component}, ${one.drifted ? 'drifted' : one.status}`).sort(),
    servers: servers
      .filter(({ server }) => server !== 'BACKEND')
      .map(({ server, status: found, state }) => `${server} ${found} ${state}`)
      .sort(),
    targets: targets.map(({ job, machine, up }) => `${job} of ${machine}${up ? '' : ': gives nothing'}`).sort(),
    words,
    // One that is pending is no alert yet: a box whose disk fills gives some.
    alerts: alerts
      .filter(({ state }) => state === 'firing')
      .map(({ alert, machine }) => `${alert} ${machine}`)
      .sort(),
    unwell: suspects.map(({ machine, condition }) => `${machine} ${condition}`).sort(),
    health,
  }
}

async function healthOf({ box }: Pick<CloudUnderTest, 'box'>, name: string): Promise<Observation['health']> {
  const { services } = await box.show(name)
  const paths = { loadBalancer: 'load-balancers', dns: 'dns', monitoring: 'monitoring', healing: 'healing' }
  const found = await Promise.all(
    services.map(async (service) => {
      const path = paths[service.kind as keyof typeof paths]
      const url = `/v1/deployments/${name}/${path}/${service.name}/health`
      const { status } = await box.client.json<{ status: string }>('GET', url)
      return [service.name, status] as const
    }),
  )
  return Object.fromEntries(found)
}
