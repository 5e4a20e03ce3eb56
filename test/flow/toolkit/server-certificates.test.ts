import { X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { renewServers } from '../../../src/activities/renew-servers.ts'
import { createLog } from '../../../src/lib/log.ts'
import { startControlPlane, type TestControlPlane } from '../../support/control-plane.ts'
import { until } from '../../support/until.ts'

const day = 86_400_000

interface Operation {
  id: string
  kind: string
  status: string
  units: { id: string }[]
}

let plane: TestControlPlane

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await plane.request(method, path, body)
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
  return JSON.parse(text) as T
}

async function done(body: object): Promise<void> {
  let last = await call<Operation>('POST', '/v1/deployments/stock/operations', body)
  while (!['succeeded', 'failed', 'cancelled'].includes(last.status))
    last = await call('GET', `/v1/operations/${last.id}?wait=30s`)
  expect(last).toMatchObject({ status: 'succeeded' })
}

const text = JSON.stringify({
  apiVersion: 'kitbag/v1',
  name: 'stock',
  components: { db: { recipe: 'postgresql' } },
})

const deploy = () => done({ kind: 'deploy', blueprint: { text }, cloud: 'home' })

async function stored() {
  const { store, tenantId } = plane.parts
  const { id = '' } = (await store.deployments.getByName(tenantId, 'stock')) ?? {}
  return { store, tenantId, id, rows: await store.serverCertificates.list(id) }
}

beforeAll(async () => {
  plane = await startControlPlane()
  await call('POST', '/v1/clouds', { name: 'home', provider: 'fake' })
})
afterAll(() => plane?.stop())

test('a machine whose recipe speaks TLS has a certificate of the authority, for as long as there is the machine', async () => {
  await deploy()
  const { store, id, rows } = await stored()
  const [row] = rows
  if (!row || rows.length > 1) throw new Error(`${rows.length} certificates`)
  const certificate = new X509Certificate(row.certificate)
  const authority = await store.certificates.authorityCertificate(id)
  expect(certificate.verify(new X509Certificate(authority?.certificate ?? '').publicKey)).toBe(true)
  const [machine] = await store.machines.list(id)
  const address = machine?.addresses[0]?.address
  expect(certificate.subjectAltName).toBe(`IP Address:${address}, DNS:db-1, DNS:localhost`)
  expect(row.renewAt.getTime()).toBeGreaterThan(Date.now() + 50 * day)
  expect(row.renewAt.getTime()).toBeLessThan(Date.now() + 61 * day)
  // The same again is nothing to do.
  await deploy()
  expect((await stored()).rows).toEqual([row])
})

test('one that is due is renewed by an operation that changes its machine alone, and nothing shows its key', async () => {
  const before = await stored()
  const [row] = before.rows
  const { store, tenantId, id } = before
  await store.serverCertificates.setRenewal(row?.machineId ?? '', new Date(Date.now() - 1_000))
  const keys = [await store.serverCertificates.keyOf(row?.machineId ?? '')]
  const ending = new AbortController()
  const log = createLog({ level: 'error' })
  const renewing = renewServers({ store, log, signal: ending.signal, interval: 20 })
  await until(async () => ((await stored()).rows[0]?.renewAt.getTime() ?? 0) > Date.now() + 50 * day)
  ending.abort()
  await renewing
  const [renewed] = (await stored()).rows
  expect(renewed?.version).toBe(2)
  expect(new X509Certificate(renewed?.certificate ?? '').serialNumber).not.toBe(
    new X509Certificate(row?.certificate ?? '').serialNumber,
  )
  keys.push(await store.serverCertificates.keyOf(row?.machineId ?? ''))
  const all = await store.operations.list(tenantId, { deployment: 'stock' }, { limit: 50 })
  const renewals = all.filter(({ kind }) => kind === 'scale')
  expect(renewals).toHaveLength(1)
  await until(async () => (await store.operations.get(renewals[0]?.id ?? ''))?.status === 'succeeded')
  const plan = await store.operations.plan(renewals[0]?.id ?? '', 'main')
  expect(plan?.units.map((unit) => unit.id)).toEqual(['db-1/configure', 'db-1/ready'])
  const shown = [JSON.stringify(await call('GET', '/v1/deployments/stock'))]
  for (const { id: operation } of all)
    shown.push(JSON.stringify([plan, await store.operations.events(operation, 0, 1000)]))
  for (const line of keys.flatMap((key) => key.split('\n').filter((one) => /^[A-Za-z0-9+/=]{16,}$/.test(one))))
    expect(shown.join('\n')).not.toContain(line)
  expect((await store.serverCertificates.due(new Date())).includes(id)).toBe(false)
})

test('it goes with its machine', async () => {
  await done({ kind: 'destroy', allowDataLoss: ['db'] })
  const { store } = plane.parts
  expect(await store.serverCertificates.due(new Date(Date.now() + 365 * day))).toEqual([])
})
