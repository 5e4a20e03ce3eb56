import type { Store } from '../../src/db/store.ts'
import { createLog, type Log } from '../../src/lib/log.ts'
import { compose, type Parts } from '../../src/main/compose.ts'
import { type RunningWorker, runWorker, type WorkerOptions } from '../../src/main/run-worker.ts'
import { createStops, type Stops } from '../../src/main/stops.ts'
import { connectTemporal, type TemporalConnection } from '../../src/main/temporal/connect.ts'
import type { JsonObject } from '../../src/model/json.ts'
import { isFinal, type OperationKind, type OperationRecord, type OperationRequest } from '../../src/model/operation.ts'
import type { ReleaseSpec } from '../../src/model/release.ts'
import type { Provider } from '../../src/providers/contract.ts'
import { providers } from '../../src/providers/index.ts'
import type { ToolkitRegistry } from '../../src/toolkit/contract.ts'
import { testRecipes } from './app.ts'
import { type MemoryCloud, memoryCloud } from './memory-cloud.ts'
import { type RecordedBalancer, recordedBalancer } from './recorded-balancer.ts'
import { type ScriptedReach, scriptedReach } from './scripted-reach.ts'
import { startTestTemporal, type TestTemporal } from './temporal.ts'
import { startTestStore, type TestStore } from './test-store.ts'
import { workflowBundle } from './workflow-bundle.ts'

export interface Flow {
  store: Store
  parts: Parts
  database: TestStore
  temporal: TestTemporal
  connection: TemporalConnection
  cloud: MemoryCloud
  reach: ScriptedReach
  balancer: RecordedBalancer
  /** Later deployments go to a cloud of the shipped `fake` provider with these settings; gives its driver, without faults. */
  useFake(settings: JsonObject): Promise<Provider>
  /** Later deployments go to this cloud; gives its driver, as the worker of this process has it. */
  useCloud(record: { provider: string; settings: JsonObject; credentials: JsonObject }): Promise<Provider>
  /** Submits a deploy of this release to the deployment of this name. */
  deploy(name: string, spec: ReleaseSpec, request?: OperationRequest, idempotencyKey?: string): Promise<OperationRecord>
  /** A destroy without a request may lose the database's data. */
  submit(name: string, kind: OperationKind, request?: OperationRequest): Promise<OperationRecord>
  /** Waits for the operation's end. */
  finished(operation: OperationRecord, timeout?: number): Promise<OperationRecord>
  /** Submits and waits. */
  deployed(name: string, spec: ReleaseSpec, request?: OperationRequest): Promise<OperationRecord>
  /** Names of machines that have a row, and of those at the cloud. */
  machines(name: string): Promise<{ rows: string[]; cloud: string[] }>
  /** `main create web-1 done` ... of an operation, in order of their end. */
  units(operation: OperationRecord): Promise<string[]>
  /** Its number; undefined: there is no deployment of this name. */
  releaseInForce(name: string): Promise<number | null | undefined>
  /** Cloud, machines and balancer do as usual again, and have been asked nothing. */
  reset(): void
  stop(): Promise<void>
}

export interface FlowOptions {
  /** false: no worker runs in this process. */
  worker?: boolean
  timings?: WorkerOptions['timings']
  /** Beside the recorded balancer, by kind. */
  services?: ToolkitRegistry
}

/** Real PostgreSQL, real Temporal and a worker as main composes it, over a cloud in memory and machines that only say what they did. */
export async function startFlow(options: FlowOptions = {}): Promise<Flow> {
  const log = createLog({ level: 'error' })
  const stops = createStops(log)
  try {
    return await start(options, log, stops)
  } catch (error) {
    await stops.run()
    throw error
  }
}

async function start({ worker = true, timings, services }: FlowOptions, log: Log, stops: Stops): Promise<Flow> {
  const database = await startTestStore()
  stops.add('database', () => database.stop())
  const temporal = await startTestTemporal()
  stops.add('Temporal', () => temporal.stop())
  const { masterKey, home, tenantId } = database
  const cloud = memoryCloud()
  const reach = scriptedReach()
  const balancer = recordedBalancer()
  const parts = await compose({
    database: { socket: database.postgres.socket },
    masterKey,
    home,
    cache: home,
    log,
    overrides: {
      reach,
      drivers: { ...providers, ...cloud.drivers },
      recipes: testRecipes(),
      toolkit: { loadBalancer: balancer.service, ...services },
    },
  })
  stops.add('store', () => parts.close())
  const connection = await connectTemporal(temporal, masterKey, log)
  stops.add('connection', () => connection.close())
  const quick = { boot: 5_000, poll: 20, retry: 50, retryMost: 500, watch: 200, ...timings }
  const options = { parts, temporal: connection, namespace: temporal.namespace, masterKey, timings: quick }
  const running: RunningWorker | undefined = worker
    ? await runWorker({ ...options, workflowBundle: await workflowBundle() })
    : undefined
  if (running) stops.add('worker', () => running.stop())
  const { store } = parts
  let clouds = 0
  let { id: cloudId } = await store.clouds.create(tenantId, {
    name: 'home',
    provider: 'memory',
    settings: {},
    credentials: {},
  })

  async function submit(name: string, kind: OperationKind, request: OperationRequest = {}, idempotencyKey?: string) {
    const { id } = await store.deployments.ensure(tenantId, name, cloudId)
    const key = idempotencyKey === undefined ? {} : { idempotencyKey }
    const { operation } = await store.operations.submit({
      tenantId,
      deploymentId: id,
      deployment: name,
      kind,
      request,
      ...key,
    })
    return operation
  }
  async function deploy(name: string, spec: ReleaseSpec, request: OperationRequest = {}, idempotencyKey?: string) {
    const { id } = await store.deployments.ensure(tenantId, name, cloudId)
    for (const secret of Object.keys(spec.secretVersions)) await store.secrets.ensureGenerated(id, secret)
    const { number } = await store.releases.ensure(id, spec)
    return submit(name, 'deploy', { release: number, ...request }, idempotencyKey)
  }
  async function finished({ id }: OperationRecord, timeout = 150_000): Promise<OperationRecord> {
    const until = Date.now() + timeout
    for (;;) {
      const operation = await store.operations.get(id)
      if (operation && isFinal(operation.status)) return operation
      if (Date.now() > until) throw new Error(`operation ${id} is ${operation?.status} after ${timeout} ms`)
      await store.changed(`operation:${id}`, { timeout: 500 })
    }
  }
  return {
    store,
    parts,
    database,
    temporal,
    connection,
    cloud,
    reach,
    balancer,
    async useFake(settings) {
      const name = `fake-${Date.now()}`
      const { driver } = await import('../../src/providers/fake/driver.ts')
      const record = { name, provider: 'fake', settings, credentials: {} }
      cloudId = (await store.clouds.create(tenantId, record)).id
      const environment = { installation: (await store.installation.get()).id, home, cache: home, log: () => {} }
      return driver.connect(
        { name, settings: driver.settings.parse({ ...settings, faults: [] }), credentials: {} },
        environment,
      )
    },
    async useCloud(record) {
      cloudId = (await store.clouds.create(tenantId, { name: `${record.provider}-${++clouds}`, ...record })).id
      return parts.clouds.provider(cloudId)
    },
    deploy,
    submit: (name, kind, request = kind === 'destroy' ? { allowDataLoss: ['db'] } : {}) => submit(name, kind, request),
    finished,
    deployed: async (name, spec, request) => finished(await deploy(name, spec, request)),
    async machines(name) {
      const deployment = await store.deployments.getByName(tenantId, name)
      const rows = deployment ? await store.machines.list(deployment.id) : []
      const made = [...cloud.machines.values()].filter(({ tags }) => tags.deployment === deployment?.id)
      return { rows: rows.map((row) => row.name).sort(), cloud: made.map((machine) => machine.name).sort() }
    },
    async units({ id }) {
      const units = await store.operations.units(id)
      const end = (at: Date | null) => at?.getTime() ?? Number.MAX_SAFE_INTEGER
      return units
        .sort((a, b) => end(a.finishedAt) - end(b.finishedAt))
        .map((unit) => `${unit.stage} ${unit.id} ${unit.status}`)
    },
    releaseInForce: async (name) => (await store.deployments.getByName(tenantId, name))?.currentRelease,
    reset() {
      cloud.hook = undefined
      reach.hook = undefined
      reach.http = undefined
      reach.survey = undefined
      reach.silent.clear()
      reach.programs.length = 0
      balancer.calls.length = 0
      delete balancer.hook
    },
    stop: () => stops.run(),
  }
}
