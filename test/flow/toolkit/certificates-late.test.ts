import { afterAll, beforeAll, expect, test } from 'vitest'
import { certificates } from '../../../src/toolkit/certificates/service.ts'
import type { ToolkitRegistry } from '../../../src/toolkit/contract.ts'
import { dns } from '../../../src/toolkit/dns/service.ts'
import { startControlPlane, type TestControlPlane } from '../../support/control-plane.ts'
import { type Pebble, preparePebble } from '../../support/pebble.ts'
import { until } from '../../support/until.ts'

const toolkit = {
  certificates,
  dns: { ...dns, control: { ...dns.control, afterConfigure: async () => {} } },
} as unknown as ToolkitRegistry

let plane: TestControlPlane
let pebble: Pebble
const base = '/v1/deployments/late'

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await plane.request(method, path, body)
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
  return JSON.parse(text) as T
}

/** Gives the warnings of a deploy that succeeded. */
async function deploy(hosts: string[]): Promise<string> {
  const { directory, trust } = pebble
  const issuers = [{ name: 'pebble', acme: { directory, trust } }]
  const section = { issuers, certificates: [{ name: 'web', hosts, issuer: 'pebble' }] }
  const zone = { zone: 'shop.example', nameservers: 1 }
  const text = JSON.stringify({ apiVersion: 'kitbag/v1', name: 'late', toolkit: { dns: zone, certificates: section } })
  const body = { kind: 'deploy', blueprint: { text }, cloud: 'home' }
  const { id } = await call<{ id: string }>('POST', `${base}/operations`, body)
  await until(
    async () => (await call<{ status: string }>('GET', `/v1/operations/${id}?wait=10s`)).status === 'succeeded',
  )
  const events = await plane.parts.store.operations.events(id, 0, 1000)
  return events.flatMap(({ data }) => (data.level === 'warn' ? [data.message] : [])).join('\n')
}

async function served() {
  const path = `${base}/certificates/certificates/certificates/web`
  return call<{ state: string; hosts: string; signedBy: string; fingerprint: string }>('GET', path)
}

beforeAll(async () => {
  pebble = await preparePebble({ slow: 5 })
  await pebble.start()
  plane = await startControlPlane({
    overrides: { toolkit },
    worker: { timings: { certificateRetry: 60_000, firstCertificates: 100 } },
  })
  await call('POST', '/v1/clouds', { name: 'home', provider: 'fake' })
})
afterAll(async () => {
  await plane?.stop()
  await pebble?.close()
})

test('a deploy does not wait for a slow authority for ever; the order goes on', async () => {
  expect(await deploy(['a.shop.example'])).toMatch(
    /^certificates: not ready after 0\.1 s, and goes on as operation op_/,
  )
  await until(async () => (await served()).state === 'current')
})

test('while other hosts are ordered, the certificate before stands in rather than one that no client trusts', async () => {
  const before = await served()
  await pebble.stop()
  await deploy(['a.shop.example', 'b.shop.example'])
  expect(await served()).toMatchObject({
    state: 'stand-in',
    hosts: 'a.shop.example',
    signedBy: before.signedBy,
    fingerprint: before.fingerprint,
  })
  await deploy(['c.shop.example'])
  expect(await served()).toMatchObject({ state: 'stand-in', hosts: 'c.shop.example', signedBy: 'CN=Kitbag late' })
})

test('an authority that has forgotten accounts and orders is asked anew', async () => {
  await pebble.start()
  await deploy(['a.shop.example', 'b.shop.example'])
  await until(async () => (await served()).state === 'current')
  expect(await served()).toMatchObject({ hosts: 'a.shop.example, b.shop.example' })
})
