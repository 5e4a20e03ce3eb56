import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AcmeClient, createAcmeClient } from '../../../src/toolkit/certificates/acme/client.ts'
import { type OrderPort, orderCertificate } from '../../../src/toolkit/certificates/acme/order.ts'
import { faultOf } from '../../../src/toolkit/certificates/material.ts'
import { generateKey, issueLeaf, makeAuthority } from '../../../src/toolkit/certificates/x509.ts'
import { type Pebble, startPebble } from '../../support/pebble.ts'

const day = 86_400_000
let pebble: Pebble
let client: AcmeClient

beforeAll(async () => {
  pebble = await startPebble()
  const { directory, trust } = pebble
  client = createAcmeClient({ directory, trust }, generateKey().pem)
  await client.register('ops@shop.example', undefined)
})
afterAll(() => pebble?.close())

/** Rows of one certificate, in memory. */
function rows(hosts: string[]): OrderPort & { shown: string[][]; urls: Set<string> } {
  const port = {
    hosts,
    challenge: 'dns-01' as const,
    order: undefined as OrderPort['order'],
    shown: [] as string[][],
    urls: new Set<string>(),
    signal: new AbortController().signal,
    async saveOrder(order: OrderPort['order'] | null) {
      port.order = order ?? undefined
      if (order) port.urls.add(order.url)
    },
    async show(challenges: { host: string }[]) {
      port.shown.push(challenges.map(({ host }) => host))
    },
  }
  return port
}

test('an order gives a certificate, and what was shown for it is taken away', async () => {
  const hosts = ['shop.example', '*.shop.example', 'www.other.example']
  const port = rows(hosts)
  const { chain, key } = await orderCertificate(client, port)
  expect(faultOf(chain, key, hosts, new Date(Date.now() + 60_000))).toBeUndefined()
  expect([port.shown[0]?.toSorted(), port.shown[1]]).toEqual([
    ['shop.example', 'shop.example', 'www.other.example'],
    [],
  ])
})

test.for([
  ['while it shows what was asked for', (url: string) => url.includes('/chalZ/')],
  ['when it has asked for the certificate', (url: string) => url.includes('/finalize-order/')],
  ['when it fetches the certificate', (url: string) => url.includes('/certZ/')],
] as const)('a worker that dies %s is followed by one that goes on with the same order', async ([, at]) => {
  const port = rows(['a.shop.example'])
  const dying: AcmeClient = {
    ...client,
    async post(url, payload) {
      const answer = await client.post(url, payload)
      if (at(url)) throw new Error('killed')
      return answer
    },
  }
  await expect(orderCertificate(dying, port)).rejects.toThrow('killed')
  const { key } = port.order ?? {}
  const got = await orderCertificate(client, port)
  expect([port.urls.size, got.key]).toEqual([1, key])
  expect(faultOf(got.chain, got.key, ['a.shop.example'], new Date(Date.now() + 60_000))).toBeUndefined()
})

test('an order that the authority does not know any more is begun anew', async () => {
  const port = rows(['b.shop.example'])
  port.order = { url: new URL('/my-order/nosuch', pebble.directory).href, key: generateKey().pem }
  await orderCertificate(client, port)
  expect(port.urls.size).toBe(1)
})

test('a wait ends with its signal', async () => {
  const ending = new AbortController()
  const port = { ...rows(['c.shop.example']), signal: ending.signal }
  const { directory, trust } = pebble
  const own = createAcmeClient({ directory, trust, signal: ending.signal }, generateKey().pem)
  await own.register(undefined, undefined)
  port.show = async () => ending.abort(new Error('enough'))
  await expect(orderCertificate(own, port)).rejects.toThrow('enough')
})

test('an authority with an unknown certificate of its own is not talked to', async () => {
  const stranger = createAcmeClient({ directory: pebble.directory }, generateKey().pem)
  await expect(stranger.register(undefined, undefined)).rejects.toThrow(/does not answer: .*certificate/)
})

/** An authority that answers as it is told. */
async function scripted(answer: (path: string) => { status: number; headers?: object; body?: object }) {
  const now = new Date()
  const made = makeAuthority('Scripted', day, now)
  const until = new Date(now.getTime() + day)
  const { certificate, key } = issueLeaf(
    { ...made, name: 'Scripted', until },
    { hosts: ['127.0.0.1'], lifetime: day, now },
  )
  const server: Server = createServer({ cert: certificate, key }, (request, response) => {
    const { status, headers, body } = answer(request.url ?? '')
    response.writeHead(status, { 'replay-nonce': 'n', 'content-type': 'application/problem+json', ...headers })
    response.end(JSON.stringify(body ?? {}))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const base = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { base, trust: made.certificate, close: () => server.close() }
}

test('a refused rate is told with the time that the authority gave; nonces are not asked for without end', async () => {
  const type = 'urn:ietf:params:acme:error:'
  const asked: string[] = []
  const server = await scripted((path) => {
    asked.push(path)
    const urls = {
      newNonce: `${server.base}/nonce`,
      newAccount: `${server.base}/account`,
      newOrder: `${server.base}/order`,
    }
    if (path === '/dir') return { status: 200, body: urls }
    if (path === '/account') return { status: 201, headers: { location: `${server.base}/account/1` } }
    if (path === '/order')
      return {
        status: 429,
        headers: { 'retry-after': '7200' },
        body: { type: `${type}rateLimited`, detail: 'too many' },
      }
    return { status: 400, body: { type: `${type}badNonce` } }
  })
  try {
    const own = createAcmeClient({ directory: `${server.base}/dir`, trust: server.trust }, generateKey().pem)
    await own.register(undefined, undefined)
    const refusal = orderCertificate(own, rows(['a.example']))
    await expect(refusal).rejects.toMatchObject({
      type: 'rateLimited',
      retryAfter: 7_200_000,
      message: expect.stringMatching(/: too many$/),
    })
    await expect(own.post(`${server.base}/other`)).rejects.toMatchObject({ type: 'badNonce' })
    expect(asked.filter((path) => path === '/other')).toHaveLength(20)
  } finally {
    server.close()
  }
})
