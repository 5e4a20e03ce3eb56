import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApi } from '../../../src/api/create-api.ts'
import type { Api } from '../../../src/api/deps.ts'
import { packFiles } from '../../../src/lib/archive.ts'
import { sha256 } from '../../../src/lib/digest.ts'
import { createLog } from '../../../src/lib/log.ts'
import { machineName } from '../../../src/model/machine.ts'
import type { Reach } from '../../../src/model/reach.ts'
import { shippedRecipes } from '../../../src/recipes/shipped.ts'
import { toolkit } from '../../../src/toolkit/registry.ts'
import { guestbookText } from '../../support/guestbook.ts'
import { startTestStore, type TestStore } from '../../support/test-store.ts'

let database: TestStore
let api: Api
let token: string
const source = await packFiles({ 'server.js': Buffer.from('1') })

async function call(
  method: string,
  path: string,
  options: { body?: unknown; raw?: Buffer; headers?: Record<string, string>; token?: string } = {},
) {
  const headers: Record<string, string> = { authorization: `Bearer ${options.token ?? token}`, ...options.headers }
  if (options.body !== undefined) headers['content-type'] = 'application/json'
  const body =
    options.raw ?? (typeof options.body === 'string' ? options.body : options.body && JSON.stringify(options.body))
  const response = await api.request(path, { method, headers, ...(body !== undefined && { body: body as string }) })
  const text = await response.text()
  const parsed = text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text
  return { status: response.status, body: parsed, headers: response.headers }
}

const deployBody = (text = guestbookText) => ({
  kind: 'deploy',
  blueprint: { text },
  sources: { './app': sha256(source) },
  cloud: 'home',
})

beforeAll(async () => {
  database = await startTestStore()
  const { store, tenantId } = database
  token = (await store.tokens.create(tenantId, 'test')).token
  api = createApi({
    store,
    toolkit,
    recipes: await shippedRecipes(),
    reach: {} as Reach,
    clouds: {
      validate: async (_kind, settings, credentials) => ({ settings, credentials }),
      test: async () => [{ name: 'fake', ok: true, detail: 'fine' }],
      sweep: async () => ({ machines: [], residue: [] }),
    },
    resolveSpecs: async (wanted) =>
      new Map(
        wanted.map(({ component, ordinal }) => [
          machineName(component.name, ordinal),
          { size: 's', image: 'i', requirements: component.machine },
        ]),
      ),
    version: '0',
    log: createLog({ level: 'error' }),
  })
  await call('POST', '/v1/clouds', { body: { name: 'home', provider: 'fake' } })
  await call('PUT', `/v1/blobs/${sha256(source)}`, { raw: source })
})
afterAll(() => database?.stop())

describe('access', () => {
  test('a wrong token and none get 401 everywhere but at /healthz', async () => {
    expect((await call('GET', '/v1/deployments', { token: 'wrong' })).status).toBe(401)
    expect((await api.request('/openapi.json')).status).toBe(401)
    expect((await api.request('/healthz')).status).toBe(200)
  })
  test('a path that is not there is 404, a method that it does not take 405 with Allow', async () => {
    expect((await call('GET', '/v1/nothing')).body.code).toBe('not-found')
    const refused = await call('DELETE', '/v1/deployments')
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET'])
  })
  test('the OpenAPI document names every route, the toolkit services too', async () => {
    const { body } = await call('GET', '/openapi.json')
    expect(body.openapi).toBe('3.1.0')
    expect(Object.keys(body.paths)).toContain('/v1/deployments/{deployment}/load-balancers/{service}/statistics')
    expect((await call('GET', '/docs')).body).toContain('/v1/operations/{operation}')
  })
})

describe('bad input is refused at once, with the place', () => {
  const nested = `{"kind":${'['.repeat(20_000)}`
  const table: [string, string, string, string | Record<string, unknown>, number][] = [
    ['NUL', 'POST', '/v1/clouds', '{"name":"a\\u0000","provider":"fake"}', 400],
    ['lone surrogate', 'POST', '/v1/clouds', '{"name":"\\ud800","provider":"fake"}', 400],
    ['20,000 levels', 'POST', '/v1/deployments/a/operations', nested, 400],
    ['duplicate keys', 'POST', '/v1/clouds', '{"name":"a","name":"b","provider":"fake"}', 400],
    ['__proto__', 'POST', '/v1/clouds', '{"__proto__":{"name":"a"},"provider":"fake"}', 400],
    ['a name with ;', 'POST', '/v1/deployments/a;b/plan', { blueprint: { text: guestbookText } }, 400],
    ['a name with ../', 'POST', '/v1/clouds', { name: '../etc', provider: 'fake' }, 400],
    ['an unknown field', 'POST', '/v1/clouds', { name: 'a', provider: 'fake', regoin: 1 }, 400],
    [
      'a source that was not uploaded',
      'POST',
      '/v1/deployments/a/operations',
      { kind: 'deploy', blueprint: { text: guestbookText }, cloud: 'home' },
      422,
    ],
    ['an unknown cloud', 'POST', '/v1/deployments/a/operations', { ...deployBody(), cloud: 'away' }, 404],
    ['a broken blueprint', 'POST', '/v1/deployments/a/operations', deployBody('a: ['), 422],
  ]
  test.each(table)('%s', async (_, method, path, body, status) => {
    const answer = await call(method, path, { body })
    expect([answer.status, answer.headers.get('content-type')], JSON.stringify(answer.body)).toEqual([
      status,
      'application/problem+json',
    ])
    expect(answer.body.detail).not.toBe('')
  })
  test('50 MB are refused by their declared length', async () => {
    const answer = await call('POST', '/v1/clouds', { body: '{}', headers: { 'content-length': String(50 << 20) } })
    expect(answer.status).toBe(413)
  })
  test('an archive that leaves its folder is refused, naming the entry', async () => {
    const bytes = Buffer.from(await packFiles({ aaaaaaaa: Buffer.from('x') }))
    bytes.write('../aaaaa', 0)
    let sum = 0
    for (let i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? 32 : (bytes[i] ?? 0)
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    const answer = await call('PUT', `/v1/blobs/${sha256(bytes)}`, { raw: bytes })
    expect([answer.status, answer.body.detail]).toEqual([400, expect.stringContaining('../aaaaa')])
  })
  test('a refused deploy leaves no deployment behind', async () => {
    expect((await call('GET', '/v1/deployments/a')).status).toBe(404)
  })
})

describe('deployments', () => {
  test('a plan of something new changes nothing and is the same twice', async () => {
    const body = { blueprint: { text: guestbookText }, sources: { './app': sha256(source) }, cloud: 'home' }
    const first = await call('POST', '/v1/deployments/new/plan', { body })
    expect(first.body.changes.map(({ action }: { action: string }) => action)).toEqual([
      'create',
      'create',
      'create',
      'create',
    ])
    expect((await call('POST', '/v1/deployments/new/plan', { body })).body.digest).toBe(first.body.digest)
    expect((await call('GET', '/v1/deployments/new')).status).toBe(404)
  })

  test('the same Idempotency-Key gives the same operation; another request under it is refused', async () => {
    const headers = { 'idempotency-key': 'one' }
    const first = await call('POST', '/v1/deployments/book/operations', { body: deployBody(), headers })
    const again = await call('POST', '/v1/deployments/book/operations', { body: deployBody(), headers })
    expect([first.status, again.body.id]).toEqual([202, first.body.id])
    expect(first.headers.get('location')).toBe(`/v1/operations/${first.body.id}`)
    const other = await call('POST', '/v1/deployments/book/operations', { body: { kind: 'destroy' }, headers })
    expect(other.body.code).toBe('idempotency-mismatch')
  })

  test('a client that comes back is given the open operation; one that will not wait is refused', async () => {
    const [open] = (await call('GET', '/v1/operations?deployment=book')).body.items
    const again = await call('POST', '/v1/deployments/book/operations', { body: { ...deployBody(), attach: true } })
    expect(again.body.id).toBe(open.id)
    const refused = await call('POST', '/v1/deployments/book/operations', {
      body: { kind: 'destroy', onConflict: 'refuse' },
    })
    expect([refused.status, refused.body.code]).toEqual([409, 'operation-running'])
  })

  test('a waiting operation is cancelled at once; its events end the stream', async () => {
    const [open] = (await call('GET', '/v1/operations?deployment=book')).body.items
    expect((await call('POST', `/v1/operations/${open.id}/cancel`)).body.status).toBe('cancelled')
    expect((await call('GET', `/v1/operations/${open.id}?wait=10s`)).body.status).toBe('cancelled')
    const events = await call('GET', `/v1/operations/${open.id}/events`)
    expect(events.body).toContain('event: end')
  })

  test('secrets are set by name and never given back', async () => {
    expect((await call('PUT', '/v1/deployments/book/secrets/MAIL_KEY', { body: { value: 'hush' } })).body).toEqual({
      name: 'MAIL_KEY',
      version: 1,
    })
    const { body } = await call('GET', '/v1/deployments/book/secrets')
    expect(body.items.map(({ name }: { name: string }) => name)).toContain('MAIL_KEY')
    expect(JSON.stringify(body)).not.toContain('hush')
    const missing = await call('POST', '/v1/validate', {
      body: { blueprint: { text: guestbookText.replace('${db.url}', '${secrets.OTHER}') } },
    })
    expect(missing.body.secrets).toEqual(['OTHER'])
  })

  test('lists go page by page', async () => {
    for (const name of ['p1', 'p2', 'p3'])
      await call('PUT', `/v1/deployments/${name}/secrets/A`, { body: { value: 'x' } })
    const first = await call('GET', '/v1/deployments?limit=2')
    const second = await call('GET', `/v1/deployments?limit=2&cursor=${first.body.nextCursor}`)
    const names = [...first.body.items, ...second.body.items].map(({ name }: { name: string }) => name)
    expect([first.body.items.length, new Set(names).size]).toEqual([2, 4])
    expect((await call('GET', '/v1/deployments?cursor=bogus')).status).toBe(400)
  })

  test('an ETag spares the body while nothing changed', async () => {
    const { headers } = await call('GET', '/v1/deployments/book')
    expect(
      (await call('GET', '/v1/deployments/book', { headers: { 'if-none-match': headers.get('etag') ?? '' } })).status,
    ).toBe(304)
  })
})
