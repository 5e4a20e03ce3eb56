import { afterAll, beforeAll, expect, test } from 'vitest'
import { addDeployment } from '../../support/store-fixtures.ts'
import { startTestStore, type TestStore } from '../../support/test-store.ts'

let running: TestStore
let deployment: string
beforeAll(async () => {
  running = await startTestStore()
})
afterAll(() => running.stop())

const newDeployment = async (name: string) => (await addDeployment(running.store, running.tenantId, name)).id
const next = (key: string, digest: string, least = 100) =>
  running.store.revisions.next(deployment, key, { digest, least })

test('a number for each content of a key', async () => {
  deployment = await newDeployment('numbers')
  expect(await next('serial a', 'x')).toBe(100)
  expect(await next('serial a', 'x', 500)).toBe(100)
  expect(await next('serial a', 'y')).toBe(101)
  expect(await next('serial a', 'x')).toBe(102)
  expect(await next('serial a', 'z', 50)).toBe(103)
  expect(await next('serial a', 'w', 900)).toBe(900)
  expect(await next('serial b', 'x')).toBe(100)
})

test('askers at the same time get one number, each content another', async () => {
  deployment = await newDeployment('askers')
  const same = await Promise.all(Array.from({ length: 20 }, () => next('serial a', 'x')))
  expect(new Set(same)).toEqual(new Set([100]))
  const others = await Promise.all(Array.from({ length: 20 }, (_, i) => next('serial a', `content ${i}`)))
  expect([...others].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => 101 + i))
})

test('a deployment that is not there has none', async () => {
  deployment = 'dep_none'
  await expect(next('serial a', 'x')).rejects.toMatchObject({ code: 'not-found' })
})

test('20,000 changes at once are stored, and removed', async () => {
  deployment = await newDeployment('many')
  const { overrides } = running.store
  const keys = Array.from({ length: 20_000 }, (_, i) => `shop.example h${i} A`)
  await overrides.set(deployment, 'dns', Object.fromEntries(keys.map((key) => [key, { value: '192.0.2.1' }])))
  expect(Object.keys((await overrides.list(deployment)).dns ?? {})).toHaveLength(20_000)
  await overrides.set(deployment, 'dns', Object.fromEntries(keys.map((key) => [key, null])))
  expect(await overrides.list(deployment)).toEqual({})
})
