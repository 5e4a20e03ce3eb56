import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLog } from '../../../src/lib/log.ts'
import { type EmbeddedTemporal, startTemporal } from '../../../src/main/embedded/temporal.ts'
import { ensureTemporal } from '../../../src/main/embedded/temporal-binary.ts'
import { cacheFolder } from '../../../src/main/paths.ts'
import { isFinal } from '../../../src/model/operation.ts'
import { adminToken, call, type KitbagProcess, runKitbag, temporaryHome } from '../../support/control-plane.ts'
import { addDeployment, submit } from '../../support/store-fixtures.ts'
import { startTestStore, type TestStore } from '../../support/test-store.ts'
import { until } from '../../support/until.ts'

let database: TestStore
let temporal: EmbeddedTemporal
let keyFile: string
const homes: string[] = []
const started: KitbagProcess[] = []

beforeAll(async () => {
  database = await startTestStore()
  const binary = await ensureTemporal({ cache: cacheFolder(), onProgress: () => {} })
  temporal = await startTemporal({ home: database.home, binary, log: createLog({ level: 'error' }) })
  keyFile = join(database.home, 'master-key')
  writeFileSync(keyFile, database.masterKey.toString('hex'), { mode: 0o600 })
})
afterAll(async () => {
  await Promise.all(started.map((one) => one.end()))
  await temporal.stop()
  await database.stop()
  for (const home of homes) rmSync(home, { recursive: true, force: true })
})

async function start(command: 'api' | 'worker', env: Record<string, string> = {}) {
  const home = await temporaryHome()
  homes.push(home)
  const one = runKitbag([command], {
    KITBAG_HOME: home,
    KITBAG_MASTER_KEY_FILE: keyFile,
    DATABASE_URL: `postgres://kitbag@/kitbag?host=${encodeURIComponent(database.postgres.socket)}`,
    TEMPORAL_ADDRESS: temporal.address,
    ...env,
  })
  started.push(one)
  return { ...one, home }
}

async function finished(id: string) {
  await until(async () => isFinal((await database.store.operations.get(id))?.status ?? 'queued'))
  return database.store.operations.get(id)
}

describe('API and worker apart', () => {
  test('two of each on one database and one cluster; operations go on when a worker is killed', async () => {
    const apis = await Promise.all([start('api'), start('api')])
    const workers = await Promise.all([start('worker'), start('worker')])
    await Promise.all([...apis, ...workers].map((one) => one.ready))
    const made = await call(
      { url: (await apis[0].ready).replace('kitbag is ready: ', ''), token: await adminToken(apis[0].home) },
      'POST',
      '/v1/clouds',
      { name: 'shared', provider: 'fake' },
    )
    expect(made.status).toBe(201)
    // A token of one is good at the other.
    const other = { url: (await apis[1].ready).replace('kitbag is ready: ', ''), token: await adminToken(apis[0].home) }
    expect(await (await call(other, 'GET', '/v1/clouds')).text()).toContain('"shared"')

    const { store, tenantId } = database
    const deployments = await Promise.all(Array.from({ length: 6 }, (_, n) => addDeployment(store, tenantId, `d${n}`)))
    const ids = await Promise.all(deployments.map(async (one) => (await submit(store, one, 'destroy')).operation.id))
    await workers[0].end('SIGKILL')
    for (const id of ids) expect(await finished(id)).toMatchObject({ status: 'succeeded' })
  })

  test('without what they share they say what is missing', async () => {
    for (const [command, missing, env] of [
      ['api', 'DATABASE_URL', { DATABASE_URL: '' }],
      ['worker', 'DATABASE_URL', { DATABASE_URL: '' }],
      ['worker', 'TEMPORAL_ADDRESS', { TEMPORAL_ADDRESS: '' }],
      ['worker', 'no Temporal server answers at 127.0.0.1:9', { TEMPORAL_ADDRESS: '127.0.0.1:9' }],
    ] as const) {
      const one = await start(command, env)
      expect(await one.ended).toBe(1)
      expect(one.output()).toMatch(/^kitbag: [^\n]+\n$/)
      expect(one.output()).toContain(missing)
    }
  })
})

describe('what passes through Temporal', () => {
  test('an unencrypted payload put into the queue from outside is refused, and the worker works on', async () => {
    const { store, tenantId } = database
    const deployment = await addDeployment(store, tenantId, 'victim')
    const connection = await Connection.connect({ address: temporal.address })
    const stranger = new Client({ connection })
    const handle = await stranger.workflow.start('operation', {
      workflowId: 'op_from_outside',
      taskQueue: 'kitbag',
      args: [{ operationId: 'op_from_outside' }],
    })
    await until(async () => {
      const { events } = await handle.fetchHistory()
      return events?.some((event) => event.workflowTaskFailedEventAttributes) ?? false
    })
    const { events } = await handle.fetchHistory()
    expect(events?.some((event) => event.activityTaskScheduledEventAttributes)).toBe(false)
    await handle.terminate()
    await connection.close()
    const { id } = (await submit(store, deployment, 'destroy')).operation
    expect(await finished(id)).toMatchObject({ status: 'succeeded' })
  })

  test('its database holds no payload in clear', () => {
    const folder = join(database.home, 'temporal')
    const text = ['temporal.db', 'temporal.db-wal'].map((name) => readFileSync(join(folder, name), 'latin1')).join('')
    expect(text).toContain('binary/encrypted')
    // The stranger's own payload is all that is in clear.
    expect(text.match(/\{"operationId":"(?!op_from_outside)/g)).toBeNull()
  })
})
