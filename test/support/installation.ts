import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { Client } from '../../src/api/client.ts'
import type { Deployment } from '../../src/api/schemas/deployment.ts'
import type { Event, Operation, Unit } from '../../src/api/schemas/operation.ts'
import { describeBlueprint, readBlueprint } from '../../src/cli/blueprint-file.ts'
import { connectionOptions } from '../../src/db/database.ts'
import { socketFolder } from '../../src/main/embedded/socket-folder.ts'
import { cacheFolder } from '../../src/main/paths.ts'
import type { JsonObject } from '../../src/model/json.ts'
import { isFinal } from '../../src/model/operation.ts'
import type { Plan } from '../../src/model/plan.ts'
import type { Provider, ProviderDriver, ProviderMachine } from '../../src/providers/contract.ts'
import { providers } from '../../src/providers/index.ts'
import { type BuiltControlPlane, builtControlPlane } from './built-control-plane.ts'
import { adminToken } from './control-plane.ts'
import { type Guest, guestOf } from './guest.ts'
import { until } from './until.ts'

export type OperationWithUnits = Operation & { units: Unit[] }

/** A control plane as users run it, on a home of its own, with the cloud `home` of real machines on this box. */
export interface Installation {
  id: string
  home: string
  plane: BuiltControlPlane
  /** Talks to the control plane that runs at present. */
  readonly client: Client
  token: string
  /** What makes the CLI talk to this control plane. */
  env: NodeJS.ProcessEnv
  plan(name: string, blueprint: string): Promise<Plan>
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
  provider: Provider
  /** Its machines as the provider knows them, whether or not a control plane runs. */
  machines(): Promise<ProviderMachine[]>
  /** A running machine of this deployment, entered from the box. */
  guest(deployment: string, machine: string): Promise<Guest>
  /** One statement on its database. */
  query(text: string): Promise<Record<string, unknown>[]>
  /** What is left on the box of its machines. */
  residue(): Promise<string[]>
  /** Ends it, destroys what machines there are by the provider's own means, and removes its home. Throws when something is left. */
  stop(): Promise<void>
}

/** What is connected as `home`. */
export interface HomeCloud {
  provider: keyof typeof providers
  settings: JsonObject
  credentials: JsonObject
}

const thisBox: HomeCloud = { provider: 'local', settings: {}, credentials: {} }

export async function startInstallation(cloud = thisBox): Promise<Installation> {
  const home = await mkdtemp(join(tmpdir(), 'kitbag-e2e-'))
  const plane = builtControlPlane(home)
  try {
    await plane.start()
    await plane.client().json('POST', '/v1/clouds', { name: 'home', ...cloud })
    return await installationOn(home, plane, cloud)
  } catch (error) {
    await plane.end()
    await rm(home, { recursive: true, force: true })
    throw error
  }
}

async function installationOn(home: string, plane: BuiltControlPlane, cloud: HomeCloud): Promise<Installation> {
  const [row] = await query(home, 'select id from installations')
  const id = String(row?.id)
  const environment = { installation: id, home, cache: cacheFolder(), log: () => {} }
  const driver: ProviderDriver = await providers[cloud.provider]()
  const settings = driver.settings.parse(cloud.settings)
  const provider = await driver.connect({ name: 'home', settings, credentials: cloud.credentials }, environment)
  const path = (name: string) => `/v1/deployments/${encodeURIComponent(name)}`

  const described = async (blueprint: string) =>
    describeBlueprint(plane.client(), await readBlueprint(blueprint), { cloud: 'home' })

  async function* story(operation: string, signal?: AbortSignal): AsyncIterable<Event> {
    const stream = plane.client().events(`/v1/operations/${operation}/events`, signal ? { signal } : {})
    for await (const { event, data } of stream) if (event !== 'end') yield JSON.parse(data) as Event
  }

  const installation: Installation = {
    id,
    home,
    plane,
    provider,
    token: await adminToken(home),
    env: { PATH: process.env.PATH, KITBAG_HOME: home },
    get client() {
      return plane.client()
    },
    async deploy(name, blueprint, more = {}, key) {
      return installation.submit(name, { kind: 'deploy', ...(await described(blueprint)), ...more }, key)
    },
    plan: async (name, blueprint) => plane.client().json('POST', `${path(name)}/plan`, await described(blueprint)),
    submit(name, body, key) {
      const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key }
      return plane.client().json('POST', `${path(name)}/operations`, body, headers)
    },
    operation: (operation) => plane.client().json('GET', `/v1/operations/${operation}`),
    async finished(operation, timeout = 400_000) {
      for (const end = Date.now() + timeout; ; ) {
        const found = await plane.client().json<OperationWithUnits>('GET', `/v1/operations/${operation.id}?wait=5s`)
        if (isFinal(found.status)) return found
        if (Date.now() > end) throw new Error(`${JSON.stringify(found)} after ${timeout} ms`)
      }
    },
    async begun(operation, unit, timeout = 180_000) {
      await until(async () => {
        const { units, status, error } = await installation.operation(operation.id)
        const found = units.find((one) => one.stage === 'main' && one.id === unit)
        const begun = found !== undefined && found.status !== 'pending'
        if (isFinal(status) && !begun) throw new Error(`it ended before ${unit}: ${error?.message}`)
        return begun
      }, timeout)
    },
    async events({ id: operation }) {
      const found: Event[] = []
      for await (const event of story(operation)) found.push(event)
      return found
    },
    async heard({ id: operation }, text, timeout = 180_000) {
      for await (const event of story(operation, AbortSignal.timeout(timeout)))
        if (text.test(JSON.stringify(event.data))) return event
      throw new Error(`operation ${operation} ended without saying ${text}`)
    },
    show: (name) => plane.client().json('GET', path(name)),
    machines: () => provider.listMachines({ tags: { installation: id } }),
    async guest(deployment, machine) {
      const shown = await installation.show(deployment)
      const address = shown.machines.find(({ name }) => name === machine)?.address
      const found = (await installation.machines()).find(({ addresses }) => addresses[0]?.address === address)
      if (!address || !found) throw new Error(`${deployment} has no running machine ${machine}`)
      return guestOf(join(home, 'local/machines', found.id))
    },
    query: (text) => query(home, text),
    residue: async () => (await provider.residue?.(id)) ?? [],
    async stop() {
      await plane.end()
      for (const machine of await installation.machines()) await provider.destroyMachine(machine.id)
      const left = await installation.residue()
      await rm(home, { recursive: true, force: true })
      if (left.length > 0) throw new Error(`left on the box: ${left.join(', ')}`)
    },
  }
  return installation
}

async function query(home: string, text: string): Promise<Record<string, unknown>[]> {
  const connection = new pg.Client(connectionOptions({ socket: socketFolder(home) }))
  await connection.connect()
  try {
    return (await connection.query(text)).rows
  } finally {
    await connection.end()
  }
}
