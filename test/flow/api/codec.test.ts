import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createPayloadCodec } from '../../../src/main/temporal/codec.ts'
import { startTestApi, type TestApi } from './harness.ts'

const codec = createPayloadCodec(randomBytes(32))
const origin = 'https://temporal.example'
const base64 = (text: string) => Buffer.from(text).toString('base64')
const plain = { payloads: [{ metadata: { encoding: base64('json/plain') }, data: base64('{"operationId":"op_1"}') }] }

let on: TestApi
let off: TestApi

beforeAll(async () => {
  ;[on, off] = await Promise.all([startTestApi({ codec: { ...codec, origin } }), startTestApi()])
})
afterAll(async () => {
  await Promise.all([on?.stop(), off?.stop()])
})

describe('codec server', () => {
  test('what it seals it opens, and nothing of it can be read in between', async () => {
    const sealed = await on.call('POST', '/codec/encode', { body: plain })
    expect(sealed.status).toBe(200)
    expect(JSON.stringify(sealed.body)).not.toContain(plain.payloads[0]?.data)
    expect((await on.call('POST', '/codec/decode', { body: sealed.body })).body).toEqual(plain)
    expect((await on.call('POST', '/codec/decode', { body: {} })).body).toEqual({ payloads: [] })
  })

  test('what the installation did not seal is refused', async () => {
    const other = createPayloadCodec(randomBytes(32))
    const [foreign] = await other.encode([{ metadata: {}, data: Buffer.from('x') }])
    const data = Buffer.from(foreign?.data ?? []).toString('base64')
    for (const payloads of [plain.payloads, [{ metadata: { encoding: base64('binary/encrypted') }, data }]]) {
      const answer = await on.call('POST', '/codec/decode', { body: { payloads } })
      expect([answer.status, answer.body.code]).toEqual([400, 'invalid-request'])
    }
    expect((await on.call('POST', '/codec/decode', { body: { payloads: [{ data: '%' }] } })).status).toBe(400)
  })

  test('needs a token', async () => {
    for (const path of ['decode', 'encode'])
      expect((await on.call('POST', `/codec/${path}`, { body: plain, token: 'kbt_wrong' })).status).toBe(401)
  })

  test('is off unless it was asked for', async () => {
    const answer = await off.call('POST', '/codec/decode', { body: plain })
    expect([answer.status, answer.body.fix]).toEqual([404, 'Start it with KITBAG_CODEC=on.'])
  })

  test('lets browsers ask from the origin that was named, and from no other', async () => {
    const preflight = (api: TestApi, from: string) =>
      api.call('OPTIONS', '/codec/decode', {
        headers: {
          origin: from,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'x-namespace',
        },
      })
    const allowed = await preflight(on, origin)
    expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([204, origin])
    expect(allowed.headers.get('access-control-allow-headers')).toContain('x-namespace')
    const answer = await on.call('POST', '/codec/encode', { body: plain, headers: { origin } })
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin)
    const other = await preflight(on, 'https://evil.example')
    expect(other.headers.get('access-control-allow-origin')).not.toBe('https://evil.example')
    expect((await preflight(off, origin)).headers.get('access-control-allow-origin')).toBeNull()
    const elsewhere = await on.call('GET', '/v1', { headers: { origin } })
    expect(elsewhere.headers.get('access-control-allow-origin')).toBeNull()
  })
})
