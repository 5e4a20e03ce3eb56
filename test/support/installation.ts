import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { type Client, createClient } from '../../src/api/client.ts'
import type { Deployment } from '../../src/api/schemas/deployment.ts'
import type { Event, Operation, Unit } from '../../src/api/schemas/operation.ts'
import { describeBlueprint, readBlueprint } from '../../src/cli/blueprint-file.ts'
import { connectionOptions } from '../../src/db/database.ts'
import { findProcesses, findProcessesIn } from '../../src/main/embedded/processes.ts'
import { socketFolder } from '../../src/main/embedded/socket-folder.ts'
import { cacheFolder } from '../../src/main/paths.ts'
import { isFinal } from '../../src/model/operation.ts'
import type { Provider, ProviderMachine } from '../../src/providers/contract.ts'
import { driver } from '../../src/providers/local/driver.ts'
import { adminToken, type KitbagProcess, runKitbag } from './control-plane.ts'
import { type Guest, guestOf } from './guest.ts'
import { until } from './until.ts'

export type OperationWithUnits = Operation & { units: Unit[] }

/** The built program with a home of its own, and the cloud `home` of real machines on this box. */
export interface Installation {
  id: string
  home: string
  /** Talks to the control plane that runs at present. */
  readonly client: Client
  readonly url: string
  token: string
  /** What makes the CLI talk to this control plane. */
  env: NodeJS.ProcessEnv
  /** Everything that its control planes wrote so far, both streams. */
  output(): string
  /** Processes of the control plane: API and worker in one, PostgreSQL with its children, Temporal. */
  processes(): number[]
  deploy(name: string, blueprint: string, more?: Record<string, unknown>, key?: string): Promise<Operation>
  submit(name: string, body: Record<string, unknown>, key?: string): Promise<Operation>
  operation(id: string): Promise<OperationWithUnits>
  /** Waits for its end. */
  finished(operation: Operation, timeout?: number): Promise<OperationWithUnits>
  /** Waits until a unit, `web-1/install`, is running or past that. */
  begun(operation: Operation, unit: string, timeout?: number): Promise<void>
  /** Its story: all of it, once it is over. */
  events(operation: Operation): Promise<Event[]>
  /** Waits for an event of a running operation that says this. */
  heard(operation: Operation, text: RegExp, timeout?: number): Promise<Event>
  show(name: string): Promise<Deployment>
  /** The provider's own view of its machines, by whatever means the control plane has none of. */
  machines(): Promise<ProviderMachine[]>
  /** A running machine of this deployment, entered from the box. */
  guest(deployment: string, machine: string): Promise<Guest>
  provider: Provider
  /** One statement on its database. */
  query(text: string): Promise<Record<string, unknown>[]>
  /** Kills every process of the control plane at once, as a box does that runs out of memory. */
  kill(): Promise<void>
  start(): Promise<void>
  /** What is left on the box of its machines. */
  residue(): Promise<string[]>
  /** Ends it, destroys what machines there are by the provider's own means, and removes its home. */
  stop(): Promise<void>
}

export async function startInstallation(): Promise<Installation> {
  const home = await mkdtemp(join(tmpdir(), 'kitbag-e2e-'))
  const env = { PATH: process.env.PATH, KITBAG_HOME: home }
  const data = join(home, 'postgres')
  const outputs: KitbagProcess[] = []
  let client!: Client
  let url = ''

  const current = () => outputs.at(-1)
  async function start(): Promise<void> {
    const started = runKitbag(['up'], { KITBAG_HOME: home, KITBAG_CACHE: cacheFolder() })
    outputs.push(started)
    url = (await started.ready).replace('kitbag is ready: ', '')
    client = createClient({ url, token: await adminToken(home) })
  }
  const children = () => [
    ...findProcesses('postgres', '-D', data),
    ...findProcessesIn(data),
    ...findProcesses('temporal', '--db-filename', join(home, 'temporal/temporal.db')),
  ]
  const processes = () => {
    const child = current()?.child
    const own = child && child.exitCode === null && child.signalCode === null ? [child.pid ?? 0] : []
    return [...new Set([...own, ...children()])]
  }
  async function kill(): Promise<void> {
    for (const pid of processes()) killed(pid)
    await current()?.ended
    await until(() => processes().length === 0)
  }
  async function query(text: string): Promise<Record<string, unknown>[]> {
    const connection = new pg.Client(connectionOptions({ socket: socketFolder(home) }))
    await connection.connect()
    try {
      return (await connection.query(text)).rows
    } finally {
      await connection.end()
    }
  }

  try {
    await start()
  } catch (error) {
    await kill()
    await rm(home, { recursive: true, force: true })
    throw error
  }
  const [{ id } = { id: '' }] = (await query('select id from installations')) as { id: string }[]
  const environment = { installation: id, home, cache: cacheFolder(), log: () => {} }
  const provider = await driver.connect({ name: 'home', settings: {}, credentials: {} }, environment)
  await client.json('POST', '/v1/clouds', { name: 'home', provider: 'local' })
  const path = (name: string) => `/v1/deployments/${encodeURIComponent(name)}`

  async function* story(operation: string, signal?: AbortSignal): AsyncIterable<Event> {
    const stream = client.events(`/v1/operations/${operation}/events`, signal ? { signal } : {})
    for await (const { event, data: text } of stream) if (event !== 'end') yield JSON.parse(text) as Event
  }

  const installation: Installation = {
    id,
    home,
    token: await adminToken(home),
    env,
    provider,
    get client() {
      return client
    },
    get url() {
      return url
    },
    output: () => outputs.map((one) => one.output()).join(''),
    processes,
    query,
    start,
    kill,
    async deploy(name, blueprint, more = {}, key) {
      const described = await describeBlueprint(client, await readBlueprint(blueprint), { cloud: 'home' })
      return installation.submit(name, { kind: 'deploy', ...described, ...more }, key)
    },
    submit: (name, body, key) =>
      client.json('POST', `${path(name)}/operations`, body, key === undefined ? {} : { 'idempotency-key': key }),
    operation: (operation) => client.json('GET', `/v1/operations/${operation}`),
    async finished(operation, timeout = 180_000) {
      for (const end = Date.now() + timeout; ; ) {
        const found = await client.json<OperationWithUnits>('GET', `/v1/operations/${operation.id}?wait=5s`)
        if (isFinal(found.status)) return found
        if (Date.now() > end) throw new Error(`${JSON.stringify(found)} after ${timeout} ms`)
      }
    },
    async begun(operation, unit, timeout = 60_000) {
      await until(async () => {
        const { units, status, error } = await installation.operation(operation.id)
        const found = units.find((one) => one.stage === 'main' && one.id === unit)
        if (isFinal(status) && found?.status === 'pending')
          throw new Error(`it ended before ${unit}: ${error?.message}`)
        return found !== undefined && found.status !== 'pending'
      }, timeout)
    },
    async events({ id: operation }) {
      const found: Event[] = []
      for await (const event of story(operation)) found.push(event)
      return found
    },
    async heard({ id: operation }, text, timeout = 60_000) {
      for await (const event of story(operation, AbortSignal.timeout(timeout)))
        if (text.test(JSON.stringify(event.data))) return event
      throw new Error(`operation ${operation} ended without saying ${text}`)
    },
    show: (name) => client.json('GET', path(name)),
    machines: () => provider.listMachines({ tags: { installation: id } }),
    async guest(deployment, machine) {
      const shown = await installation.show(deployment)
      const address = shown.machines.find(({ name }) => name === machine)?.address
      const found = (await installation.machines()).find(({ addresses }) => addresses[0]?.address === address)
      if (address === null || !found) throw new Error(`${deployment} has no running machine ${machine}`)
      return guestOf(join(home, 'local/machines', found.id))
    },
    residue: async () => (await provider.residue?.(id)) ?? [],
    async stop() {
      await current()?.end()
      await kill()
      for (const machine of await installation.machines()) await provider.destroyMachine(machine.id)
      const left = await installation.residue()
      await rm(home, { recursive: true, force: true })
      if (left.length > 0) throw new Error(`left on the box: ${left.join(', ')}`)
    },
  }
  return installation
}

function killed(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
