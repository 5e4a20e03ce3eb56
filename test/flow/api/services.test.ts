import { afterAll, beforeAll, expect, test } from 'vitest'
import { guestbookText } from '../../support/guestbook.ts'
import { deployBody, startTestApi, type TestApi } from './harness.ts'

let api: TestApi
const base = '/v1/deployments/shop'

/** Ends the open operation as a worker would, and puts its release in force. */
async function bringAbout(): Promise<void> {
  const { store, tenantId } = api.database
  const [operation] = await store.operations.claim(1)
  if (!operation) throw new Error('nothing is queued')
  const shop = await store.deployments.getByName(tenantId, 'shop')
  if (operation.request.release !== undefined)
    await store.deployments.setCurrentRelease(shop?.id ?? '', operation.request.release)
  await store.operations.finish(operation.id, { status: 'succeeded' })
}

async function text(): Promise<string> {
  const { body } = await api.call('GET', base)
  const release = await api.call('GET', `${base}/releases/${body.release}`)
  return release.body.text
}

beforeAll(async () => {
  api = await startTestApi()
  const answer = await api.call('POST', `${base}/operations`, {
    body: deployBody(api, `# of the shop\n${guestbookText}`),
  })
  expect(answer.status).toBe(202)
  await bringAbout()
})
afterAll(() => api?.stop())

test('a service is listed and shown with its section; one of another kind is not', async () => {
  const list = await api.call('GET', `${base}/load-balancers`)
  expect(list.body.items).toMatchObject([{ name: 'loadBalancer', kind: 'loadBalancer', release: 1, machines: [] }])
  const one = await api.call('GET', `${base}/load-balancers/loadBalancer`)
  expect(one.body.section.listeners).toMatchObject([{ port: 80, protocol: 'http', to: 'web' }])
  expect((await api.call('GET', `${base}/dns`)).body).toEqual({ items: [] })
  const missing = await api.call('GET', `${base}/dns/dns`)
  expect([missing.status, missing.body.detail]).toEqual([404, 'shop has no dns dns; it has: none'])
})

test('a section that is put is checked as in a blueprint, then deployed; the rest of the text stays', async () => {
  const wrong = await api.call('PUT', `${base}/load-balancers/loadBalancer`, {
    body: { section: { listeners: [{ port: 80, to: 'wep' }] } },
  })
  expect([wrong.status, wrong.body.problems[0].path]).toEqual([422, 'toolkit.loadBalancer.listeners[0].to'])

  const put = { section: { listeners: [{ port: 8080, to: 'web' }] } }
  const headers = { 'idempotency-key': 'put-1' }
  const first = await api.call('PUT', `${base}/load-balancers/loadBalancer`, { body: put, headers })
  expect([first.status, first.body.kind, first.body.request.release]).toEqual([202, 'deploy', 2])
  const busy = await api.call('PUT', `${base}/load-balancers/loadBalancer`, { body: put })
  expect([busy.status, busy.body.code]).toEqual([409, 'operation-running'])
  const again = await api.call('PUT', `${base}/load-balancers/loadBalancer`, { body: put, headers })
  expect(again.body.id).toBe(first.body.id)
  await bringAbout()
  expect(await text()).toContain('# of the shop')
  const shown = await api.call('GET', `${base}/load-balancers/loadBalancer`)
  expect(shown.body.section.listeners).toMatchObject([{ port: 8080 }])
})

test('a second one of a kind makes a list of named ones; taken out, one is left', async () => {
  const listeners = [{ port: 81, to: 'web' }]
  await api.call('PUT', `${base}/load-balancers/inner`, { body: { section: { listeners } } })
  await bringAbout()
  const names = async () => {
    const { body } = await api.call('GET', `${base}/load-balancers`)
    return body.items.map(({ name }: { name: string }) => name)
  }
  expect(await names()).toEqual(['loadBalancer', 'inner'])
  expect((await api.call('DELETE', `${base}/load-balancers/inner`)).status).toBe(202)
  await bringAbout()
  expect(await names()).toEqual(['loadBalancer'])
  expect((await api.call('DELETE', `${base}/load-balancers/inner`)).status).toBe(404)
})

test('its events are the operations that were about it, page by page', async () => {
  const first = await api.call('GET', `${base}/load-balancers/loadBalancer/events?limit=1`)
  const none = await api.call('GET', `${base}/load-balancers/loadBalancer/health`)
  expect(first.body).toEqual({ items: [] })
  expect(none.body).toEqual({ status: 'healthy', findings: [] })
  const { store, tenantId } = api.database
  const shop = await store.deployments.getByName(tenantId, 'shop')
  for (const error of [undefined, { code: 'service-failed' as const, message: 'no node answers' }]) {
    const { operation } = await store.operations.submit({
      tenantId,
      deploymentId: shop?.id ?? '',
      deployment: 'shop',
      kind: 'push',
      request: { service: 'loadBalancer' },
    })
    await store.operations.finish(operation.id, { status: error ? 'failed' : 'succeeded', ...(error && { error }) })
  }
  const page = await api.call('GET', `${base}/load-balancers/loadBalancer/events?limit=1`)
  expect(page.body.items).toMatchObject([{ type: 'operation', level: 'warn', message: 'push failed: no node answers' }])
  const next = await api.call(
    'GET',
    `${base}/load-balancers/loadBalancer/events?limit=5&cursor=${page.body.nextCursor}`,
  )
  expect(next.body.items).toMatchObject([{ level: 'info', message: 'push succeeded' }])
  expect(next.body.nextCursor).toBeUndefined()
})
