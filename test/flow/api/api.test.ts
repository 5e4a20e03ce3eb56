import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { guestbookText } from '../../support/guestbook.ts'
import { type CallOptions, deployBody, startTestApi, type TestApi } from './harness.ts'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi()
})
afterAll(() => api?.stop())

const call = (method: string, path: string, options?: CallOptions) => api.call(method, path, options)

describe('access', () => {
  test('a wrong token and none get 401 everywhere but at /healthz', async () => {
    expect((await call('GET', '/v1/deployments', { token: 'wrong' })).status).toBe(401)
    expect((await fetch(`${api.url}/openapi.json`)).status).toBe(401)
    expect((await fetch(`${api.url}/healthz`)).status).toBe(200)
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

describe('deployments', () => {
  test('a plan of something new changes nothing and is the same twice', async () => {
    const body = { blueprint: { text: guestbookText }, sources: { './app': api.source }, cloud: 'home' }
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
    const first = await call('POST', '/v1/deployments/book/operations', { body: deployBody(api), headers })
    const again = await call('POST', '/v1/deployments/book/operations', { body: deployBody(api), headers })
    expect([first.status, again.body.id]).toEqual([202, first.body.id])
    expect(first.headers.get('location')).toBe(`/v1/operations/${first.body.id}`)
    const other = await call('POST', '/v1/deployments/book/operations', { body: { kind: 'destroy' }, headers })
    expect(other.body.code).toBe('idempotency-mismatch')
  })

  test('a client that comes back is given the open operation; one that will not wait is refused', async () => {
    const [open] = (await call('GET', '/v1/operations?deployment=book')).body.items
    const again = await call('POST', '/v1/deployments/book/operations', { body: { ...deployBody(api), attach: true } })
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
