import { X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { certificates } from '../../../src/toolkit/certificates/service.ts'
import type { ToolkitRegistry } from '../../../src/toolkit/contract.ts'
import { dns } from '../../../src/toolkit/dns/service.ts'
import { startControlPlane, type TestControlPlane } from '../../support/control-plane.ts'
import { type Pebble, startPebble } from '../../support/pebble.ts'

/** Certificates as they are shipped; of DNS what stores and pushes, without asking machines that do not exist. */
const control = { ...dns.control, afterConfigure: async () => {} }
const toolkit = { certificates, dns: { ...dns, control } } as unknown as ToolkitRegistry

interface Operation {
  id: string
  status: string
  error?: { message: string }
}

interface Row {
  name: string
  state: string
  signedBy: string
  hosts: string
  error: string
  failures: number
  version: number
  nextTry: string | null
}

let plane: TestControlPlane
let pebble: Pebble

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await plane.request(method, path, body)
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
  return JSON.parse(text) as T
}

async function ended(operation: Operation): Promise<Operation> {
  let last = operation
  while (!['succeeded', 'failed', 'cancelled'].includes(last.status))
    last = await call('GET', `/v1/operations/${operation.id}?wait=30s`)
  return last
}

function text(name: string, section: object): string {
  const zones = { zone: 'shop.example', nameservers: 1 }
  return JSON.stringify({ apiVersion: 'kitbag/v1', name, toolkit: { dns: zones, certificates: section } })
}

async function deploy(name: string, section: object): Promise<Operation> {
  const body = { kind: 'deploy', blueprint: { text: text(name, section) }, cloud: 'home' }
  return ended(await call('POST', `/v1/deployments/${name}/operations`, body))
}

const path = (name: string): string => `/v1/deployments/${name}/certificates/certificates`
const rows = async (name: string): Promise<Row[]> =>
  (await call<{ certificates: Row[] }>('GET', `${path(name)}/certificates`)).certificates

function issuerOf({ directory, trust }: Pebble, more: object = {}) {
  return { name: 'pebble', acme: { directory, trust, email: 'ops@shop.example', ...more } }
}

beforeAll(async () => {
  pebble = await startPebble()
  plane = await startControlPlane({
    overrides: { toolkit },
    worker: { timings: { certificateRetry: 200, firstCertificates: 60_000 } },
  })
  await call('POST', '/v1/clouds', { name: 'home', provider: 'fake' })
})
afterAll(async () => {
  await plane?.stop()
  await pebble?.close()
})

test('a deploy ends with the certificate of the issuer', async () => {
  const section = {
    issuers: [issuerOf(pebble)],
    certificates: [
      { name: 'web', hosts: ['shop.example', '*.shop.example'], issuer: 'pebble' },
      { name: 'own', hosts: ['db.internal', '192.0.2.7'] },
    ],
  }
  expect(await deploy('first', section)).toMatchObject({ status: 'succeeded' })
  const [own, web] = (await rows('first')).sort((a, b) => (a.name < b.name ? -1 : 1))
  expect(web).toMatchObject({ state: 'current', hosts: 'shop.example, *.shop.example', version: 2, error: '' })
  expect(web?.signedBy).toContain('Pebble Intermediate')
  expect(own).toMatchObject({ state: 'current', signedBy: 'CN=Kitbag first', hosts: 'db.internal, 192.0.2.7' })
  const { certificate } = await call<{ certificate: string }>('GET', `${path('first')}/authority`)
  const { chain } = await call<{ chain: string }>('GET', `${path('first')}/certificates/own`)
  expect(new X509Certificate(chain).verify(new X509Certificate(certificate).publicKey)).toBe(true)
})
