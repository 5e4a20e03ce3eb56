import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectionOptions } from '../../../src/db/database.ts'
import { createLog } from '../../../src/lib/log.ts'
import { startPostgres } from '../../../src/main/embedded/postgres.ts'
import { addDeployment, machineSpec, submit } from '../../support/store-fixtures.ts'
import { startTestStore, type TestStore } from '../../support/test-store.ts'

let running: TestStore
beforeAll(async () => {
  running = await startTestStore()
})
afterAll(() => running.stop())

/** Every row of every table, as text. */
async function dump(): Promise<string> {
  const client = new pg.Client(connectionOptions({ socket: running.postgres.socket }))
  await client.connect()
  try {
    const tables = await client.query(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('public', 'drizzle')`,
    )
    const lines: string[] = []
    for (const { name } of tables.rows) {
      const { rows } = await client.query(`select t::text as line from ${name} t`)
      lines.push(...rows.map(({ line }) => `${name} ${line}`))
    }
    return lines.join('\n')
  } finally {
    await client.end()
  }
}

describe('secrets at rest', () => {
  test('neither the rows nor the files of the database hold one in clear', async () => {
    const { store, tenantId, home, masterKey } = running
    const mark = 'Sup3rS3cret'
    await store.clouds.create(tenantId, {
      name: 'marked',
      provider: 'aws',
      settings: {},
      credentials: { key: `${mark}-cloud` },
    })
    const { id } = await addDeployment(store, tenantId, 'marked')
    await store.secrets.set(id, 'MAIL_KEY', `${mark}-given`)
    await store.secrets.ensureGenerated(id, 'db.password')
    const generated = (await store.secrets.get(id, 'db.password', 1)) ?? ''
    const cloudId = (await store.clouds.getByName(tenantId, 'home'))?.id ?? ''
    await store.machines.ensureCreating(
      id,
      { component: 'web', name: 'web-1', ordinal: 1, cloudId, spec: machineSpec, stateful: false },
      { privateKey: `${mark}-hostkey`, publicKey: 'ssh-ed25519 A' },
    )
    const { token } = await store.tokens.create(tenantId, 'marked')
    const { sshPrivateKey } = await store.installation.get()
    const keyLine = sshPrivateKey.split('\n')[2] ?? ''
    expect(keyLine.length).toBeGreaterThan(40)

    const text = await dump()
    expect(text).toContain('MAIL_KEY')
    const secrets = [mark, generated, token, keyLine, masterKey.toString('hex')]
    for (const secret of secrets) {
      expect(text).not.toContain(secret)
      expect(text).not.toContain(Buffer.from(secret).toString('hex'))
    }
    const files = await promisify(execFile)('grep', [
      '-rlaF',
      ...secrets.flatMap((secret) => ['-e', secret]),
      home,
    ]).catch((error) => error)
    expect(files.stdout).toBe('')
    expect(files.code).toBe(1)
  })
})

describe('a server that goes away', () => {
  test('calls made while PostgreSQL restarts are answered, waiting ones wake again, the process lives on', async () => {
    const { store, tenantId, home } = running
    const deployment = await addDeployment(store, tenantId, 'restart')
    const { id } = (await submit(store, deployment)).operation
    await store.changed('operations', { timeout: 300 })
    await running.postgres.stop()
    const waiting = store.changed(`operation:${id}`, { timeout: 60_000 })
    const reading = store.operations.get(id)
    running.postgres = await startPostgres({ home, log: createLog({ level: 'error' }) })
    expect(await reading).toMatchObject({ id, status: 'queued' })
    await store.operations.cancel(id)
    await waiting
    expect(await store.operations.get(id)).toMatchObject({ status: 'cancelled' })
  })

  test('connections that are cut are replaced', async () => {
    const { store, tenantId } = running
    const client = new pg.Client(connectionOptions({ socket: running.postgres.socket }))
    await client.connect()
    for (let n = 0; n < 5; n++) {
      await Promise.all(Array.from({ length: 6 }, () => store.deployments.list(tenantId, { limit: 5 })))
      await client.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname is not null',
      )
      expect(await store.deployments.getByName(tenantId, 'restart')).toMatchObject({ name: 'restart' })
    }
    await client.end()
  })

  test('killed with -9, it comes back by itself with all that was acknowledged', async () => {
    const { store, tenantId } = running
    const acknowledged: string[] = []
    for (let n = 0; n < 20; n++) acknowledged.push((await addDeployment(store, tenantId, `kept-${n}`)).id)
    const before = running.postgres.pid() ?? 0
    process.kill(before, 'SIGKILL')
    const found = await Promise.all(acknowledged.map((id) => store.deployments.get(id)))
    expect(found.map((one) => one?.id)).toEqual(acknowledged)
    expect(running.postgres.pid()).not.toBe(before)
  })
})
