import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestApi, type TestApi } from './harness.ts'

const blueprint = `
apiVersion: kitbag/v1
name: names
toolkit:
  dns:
    zone: shop.example
    records: [ { name: www, type: A, value: 192.0.2.1 } ]
`
const base = '/v1/deployments/names/dns/dns'
let api: TestApi

async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  return api.call(method, path, { headers, ...(body !== undefined && { body }) })
}

async function stored(): Promise<Record<string, unknown>> {
  const { store, tenantId } = api.database
  const found = await store.deployments.getByName(tenantId, 'names')
  return found ? ((await store.overrides.list(found.id)).dns ?? {}) : {}
}

beforeAll(async () => {
  api = await startTestApi()
  const deploy = { kind: 'deploy', blueprint: { text: blueprint }, cloud: 'home' }
  expect((await call('POST', '/v1/deployments/names/operations', deploy)).status).toBe(202)
  const { store, tenantId } = api.database
  const deployment = await store.deployments.getByName(tenantId, 'names')
  await store.deployments.setCurrentRelease(deployment?.id ?? '', 1)
})
afterAll(() => api?.stop())

test('a record set is stored, and pushed by an operation', async () => {
  const answer = await call('PUT', `${base}/zones/shop.example/records/api/A`, { value: '192.0.2.7', ttl: '30s' })
  expect([answer.status, answer.body.kind]).toEqual([202, 'push'])
  expect(await stored()).toEqual({ 'shop.example api A': { value: '192.0.2.7', ttl: 30_000, owner: 'api' } })
  expect((await call('DELETE', `${base}/zones/shop.example/records/api/A`)).status).toBe(202)
  expect(await stored()).toEqual({})
})

describe('the same Idempotency-Key', () => {
  const path = `${base}/zones/shop.example/records/once/A`
  const once = (key: string, method: string, body?: object) => call(method, path, body, { 'idempotency-key': key })
  const pushes = async () =>
    (await api.database.store.operations.list(api.database.tenantId, { deployment: 'names' }, { limit: 100 })).length

  test('and request gives the first operation, and nothing is done twice', async () => {
    const first = await once('set', 'PUT', { value: '192.0.2.7' })
    expect((await once('gone', 'DELETE')).status).toBe(202)
    const before = await pushes()
    const again = await once('set', 'PUT', { value: '192.0.2.7' })
    expect([again.status, again.body.id]).toEqual([202, first.body.id])
    expect([await stored(), await pushes()]).toEqual([{}, before])
    // What it is about is gone, and it was this request that took it away.
    expect((await once('gone', 'DELETE')).status).toBe(202)
  })

  test('with another request is refused, and nothing of it is stored', async () => {
    await once('one', 'PUT', { value: '192.0.2.7' })
    const before = [await stored(), await pushes()]
    const other = await once('one', 'PUT', { value: '192.0.2.8' })
    expect([other.status, other.body.code]).toEqual([422, 'idempotency-mismatch'])
    const elsewhere = await call('DELETE', path, undefined, { 'idempotency-key': 'one' })
    expect([elsewhere.status, elsewhere.body.code]).toEqual([422, 'idempotency-mismatch'])
    expect([await stored(), await pushes()]).toEqual(before)
    await call('DELETE', path)
  })

  test('many times at once makes one operation', async () => {
    const before = await pushes()
    const answers = await Promise.all(Array.from({ length: 8 }, () => once('many', 'PUT', { value: '192.0.2.7' })))
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.id}`)).size).toBe(1)
    expect(await pushes()).toBe(before + 1)
    await call('DELETE', path)
  })

  test('many times at once for different requests: one is done, and what is stored is what it says', async () => {
    const answers = await Promise.all([1, 2, 3, 4].map((last) => once('race', 'PUT', { value: `192.0.2.${last}` })))
    const taken = answers.findIndex(({ status }) => status === 202)
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 422, 422, 422])
    expect(await stored()).toMatchObject({ 'shop.example once A': { value: `192.0.2.${taken + 1}` } })
    await call('DELETE', path)
  })
})

test('names of any length that DNS has', async () => {
  const name = `${`${'a'.repeat(60)}.`.repeat(3)}${'b'.repeat(50)}`
  expect((await call('PUT', `${base}/zones/shop.example/records/${name}/A`, { value: '192.0.2.7' })).status).toBe(202)
  expect((await call('DELETE', `${base}/zones/shop.example/records/${name}/A`)).status).toBe(202)
})

describe('refused, and nothing stored', () => {
  test.each([
    ['a content that is none', 'x/A', { value: 'x' }, 400, 'x.shop.example A: must be an IPv4 address, found x'],
    ['an unknown field', 'x/A', { value: '192.0.2.1', vaule: 1 }, 400, 'vaule'],
    ['a name that breaks out', 'x%0Ay/A', { value: '192.0.2.1' }, 400, 'is no name in the zone shop.example'],
    ['a name outside', 'www.other.example./A', { value: '192.0.2.1' }, 400, 'is no name in the zone shop.example'],
    ['the blueprint’s', 'www/A', { value: '192.0.2.7' }, 409, 'www.shop.example A belongs to the blueprint'],
    [
      'a routing that is not there',
      'x/A',
      { routing: 'random', answers: [{ value: '192.0.2.1' }] },
      400,
      'must be one of: weighted, failover, nearest',
    ],
    ['a TTL below zero', 'x/A', { value: '192.0.2.1', ttl: '-1s' }, 400, 'ttl'],
    ['a TTL that is no duration', 'x/A', { value: '192.0.2.1', ttl: -1 }, 400, 'ttl'],
    ['70,000 bytes', 'x/TXT', { value: 'x'.repeat(70_000) }, 400, ''],
  ])('%s', async (_, path, body, status, words) => {
    const answer = await call('PUT', `${base}/zones/shop.example/records/${path}`, body)
    expect(answer.status).toBe(status)
    expect(JSON.stringify(answer.body)).toContain(words)
    expect(await stored()).toEqual({})
  })
})

test('a zone file may be larger than other bodies, up to 16 MiB', async () => {
  const take = (bytes: number) =>
    call('POST', `${base}/zones/shop.example/file`, { text: `a A 192.0.2.1\n;${' '.repeat(bytes)}` })
  expect((await take(3 * 2 ** 20)).status).toBe(202)
  expect((await take(16 * 2 ** 20)).status).toBe(413)
  const other = await call('PUT', `${base}/zones/shop.example/records/x/TXT`, { value: 'x'.repeat(3 * 2 ** 20) })
  expect(other.status).toBe(413)
})

test('the document of the API tells the command line what there is', async () => {
  const { body } = await call('GET', '/openapi.json')
  const words = Object.values(
    body.paths as Record<string, Record<string, { 'x-kitbag-cli'?: { command: string; name: string }[] }>>,
  )
    .flatMap((methods) => Object.values(methods).flatMap((method) => method['x-kitbag-cli'] ?? []))
    .filter(({ command }) => command === 'dns')
    .map(({ name }) => name)
  expect(words.sort().join(' ')).toBe(
    'add-zone events export health import records remove remove-countries remove-zone service set set-countries zones',
  )
})
