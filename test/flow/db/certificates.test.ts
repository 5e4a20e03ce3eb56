import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CertificateMaterial } from '../../../src/model/certificate.ts'
import { generateKey, makeAuthority } from '../../../src/toolkit/certificates/x509.ts'
import { startTestStore, type TestStore } from '../../support/test-store.ts'
import { until } from '../../support/until.ts'

let database: TestStore
let deployment: string
const now = new Date()
const later = new Date(now.getTime() + 86_400_000)

const material = (): CertificateMaterial => ({
  chain: 'a chain',
  key: generateKey().pem,
  standIn: true,
  notBefore: now,
  notAfter: later,
  nextTry: now,
})
const web = { service: 'certificates', name: 'web', purpose: 'p1' }

beforeAll(async () => {
  database = await startTestStore()
  const { store, tenantId } = database
  deployment = (await store.deployments.ensure(tenantId, 'shop')).id
})
afterAll(() => database?.stop())

test('an authority is made once, whoever asks at the same time', async () => {
  const { certificates } = database.store
  const other = (await database.another()).certificates
  const asked = Array.from({ length: 8 }, (_, i) =>
    (i % 2 ? certificates : other).authority(deployment, () => makeAuthority(`number ${i}`, 86_400_000, now)),
  )
  const made = await Promise.all(asked)
  expect(new Set(made.map(({ id }) => id)).size).toBe(1)
  expect(new Set(made.map(({ key }) => key)).size).toBe(1)
  expect(await certificates.authorityCertificate(deployment)).toEqual({
    id: made[0]?.id,
    certificate: made[0]?.certificate,
  })
})

test('a certificate is added once; a new one in its place has the next version, and its order and failures are over', async () => {
  const { certificates } = database.store
  const first = material()
  await certificates.add(deployment, { ...web, ...first })
  await certificates.add(deployment, { ...web, ...material() })
  const [row, ...others] = await certificates.list(deployment)
  if (!row) throw new Error('no row')
  expect([others, row.version, await certificates.keyOf(row.id)]).toEqual([[], 1, first.key])
  const orderKey = generateKey().pem
  await certificates.setOrder(row.id, { url: 'https://ca.example/order/1', key: orderKey })
  await certificates.update(row.id, { failures: 3, error: 'no', nextTry: later })
  expect(await certificates.get(row.id)).toMatchObject({
    failures: 3,
    error: 'no',
    order: { url: 'https://ca.example/order/1' },
  })
  expect(await certificates.orderKey(row.id)).toBe(orderKey)
  const second = material()
  await certificates.replace(row.id, second)
  expect(await certificates.get(row.id)).toMatchObject({ version: 2, failures: 0, error: null, order: null })
  expect([await certificates.keyOf(row.id), await certificates.orderKey(row.id)]).toEqual([second.key, undefined])
})

test('one owner has a certificate at a time, until it lets go or its time is over', async () => {
  const { certificates } = database.store
  const [row] = await certificates.list(deployment)
  const id = row?.id ?? ''
  const claims = await Promise.all(['a', 'b', 'c', 'd'].map((owner) => certificates.claim(id, owner, 60_000)))
  expect(claims.filter(Boolean)).toHaveLength(1)
  const owner = ['a', 'b', 'c', 'd'][claims.indexOf(true)] ?? ''
  expect(await certificates.claim(id, owner, 60_000)).toBe(true)
  await certificates.release(id, 'somebody else')
  expect(await certificates.claim(id, 'e', 60_000)).toBe(false)
  await certificates.release(id, owner)
  expect(await certificates.claim(id, 'e', 50)).toBe(true)
  await until(() => certificates.claim(id, 'f', 60_000))
})

test('keys are not to be read in the database', async () => {
  const { store, tenantId, postgres } = database
  const account = await store.certificates.account(tenantId, 'an account', () => generateKey().pem)
  expect(await store.certificates.account(tenantId, 'an account', () => generateKey().pem)).toEqual(account)
  const client = new pg.Client({ host: postgres.socket, database: 'kitbag', user: 'kitbag' })
  await client.connect()
  try {
    for (const table of ['certificates', 'certificate_authorities', 'acme_accounts']) {
      const { rows } = await client.query(`select t::text as row, encode(t.key, 'escape') as key from ${table} t`)
      expect(rows.length).toBeGreaterThan(0)
      for (const { row, key } of rows) expect(`${row} ${key}`).not.toContain('PRIVATE KEY')
    }
  } finally {
    await client.end()
  }
})

test('certificates end with their deployment', async () => {
  const { store } = database
  await store.deployments.remove(deployment)
  expect(await store.certificates.list(deployment)).toEqual([])
  expect(await store.certificates.authorityCertificate(deployment)).toBeUndefined()
})
