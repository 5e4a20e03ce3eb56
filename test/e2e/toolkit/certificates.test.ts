import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { packFiles } from '../../../src/lib/archive.ts'
import { sha256 } from '../../../src/lib/digest.ts'
import { startControlPlane, type TestControlPlane } from '../../support/control-plane.ts'
import { type Pebble, preparePebble } from '../../support/pebble.ts'
import { until } from '../../support/until.ts'

const run = promisify(execFile)

/** Answers over https with the certificate of its environment. */
const application = `
const { TLS: pem, PORT } = process.env
const server = require('node:https').createServer({ cert: pem, key: pem }, (request, response) => response.end('hello'))
server.listen(Number(PORT), '::')
process.on('SIGTERM', () => server.close(() => process.exit(0)))
`

interface Operation {
  id: string
  status: string
  error?: { message: string }
}

interface Certificate {
  name: string
  state: string
  signedBy: string
  error: string
  fingerprint: string
}

let plane: TestControlPlane
let pebble: Pebble
let folder: string

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

const base = '/v1/deployments/shop'
const certificatesPath = `${base}/certificates/certificates`

async function certificate(name: string): Promise<Certificate> {
  return call('GET', `${certificatesPath}/certificates/${name}`)
}

async function addressOf(component: string): Promise<string> {
  const { machines } = await call<{ machines: { component: string; address: string }[] }>('GET', base)
  return machines.find((machine) => machine.component === component)?.address ?? ''
}

/** What a client that trusts `ca` alone gets of the application under this name. */
async function fetched(ca: string, host: string, address: string): Promise<string> {
  await writeFile(join(folder, 'ca.pem'), ca)
  const to = `https://${host}:8443/`
  const { stdout } = await run('curl', [
    ...['-sS', '--max-time', '10', '--cacert', join(folder, 'ca.pem')],
    ...['--resolve', `${host}:8443:${address}`, to],
  ])
  return stdout
}

/** Fingerprint of the certificate that is served; empty: nobody answers. */
async function servedBy(address: string): Promise<string> {
  const asked = run('openssl', ['s_client', '-connect', `${address}:8443`, '-servername', 'www.shop.example'])
  asked.child.stdin?.end()
  const { stdout } = await asked.catch((error: { stdout: string }) => error)
  if (!stdout.includes('-----BEGIN CERTIFICATE-----')) return ''
  await writeFile(join(folder, 'served.pem'), stdout)
  return (await run('openssl', ['x509', '-in', join(folder, 'served.pem'), '-noout', '-fingerprint', '-sha256'])).stdout
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kitbag-certificates-'))
  pebble = await preparePebble()
  plane = await startControlPlane({ worker: { timings: { certificateRetry: 600_000 } } })
  await call('POST', '/v1/clouds', { name: 'home', provider: 'local' })
})
afterAll(async () => {
  try {
    if (plane) await ended(await call('POST', `${base}/operations`, { kind: 'destroy' }))
  } finally {
    await plane?.stop()
    await pebble?.close()
    await rm(folder, { recursive: true, force: true })
  }
})

test('a stand-in is served while the authority is away, and its certificate once it is back', async () => {
  const source = await packFiles({ 'server.js': Buffer.from(application) })
  const digest = sha256(source)
  await fetch(`${plane.url}/v1/blobs/${digest}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${plane.token}`, 'content-type': 'application/x-tar' },
    body: new Uint8Array(source),
  })
  const { directory, trust } = pebble
  const blueprint = {
    apiVersion: 'kitbag/v1',
    name: 'shop',
    components: {
      site: {
        source: './app',
        runtime: 'nodejs',
        start: 'node server.js',
        port: 8443,
        env: { TLS: '${certificates.web.pem}' },
      },
    },
    toolkit: {
      dns: { zone: 'shop.example', nameservers: 1 },
      certificates: {
        issuers: [{ name: 'pebble', acme: { directory, trust } }],
        certificates: [{ name: 'web', hosts: ['shop.example', '*.shop.example'], issuer: 'pebble' }],
      },
    },
  }
  const sources = { './app': digest }
  const body = { kind: 'deploy', blueprint: { text: JSON.stringify(blueprint) }, sources, cloud: 'home' }
  expect(await ended(await call('POST', `${base}/operations`, body))).toMatchObject({ status: 'succeeded' })
  const site = await addressOf('site')
  const first = await certificate('web')
  expect(first).toMatchObject({ state: 'stand-in', error: expect.stringContaining('does not answer') })
  const { certificate: own } = await call<{ certificate: string }>('GET', `${certificatesPath}/authority`)
  expect(await fetched(own, 'www.shop.example', site)).toBe('hello')

  await pebble.start(`${await addressOf('dns')}:53`)
  const renewed = await ended(await call('POST', `${certificatesPath}/certificates/web/renewals`))
  expect([renewed.status, renewed.error, pebble.log()]).toEqual(['succeeded', null, expect.anything()])
  const second = await certificate('web')
  expect(second.state).toBe('current')
  expect(second.signedBy).toContain('Pebble Intermediate')
  // The application is started anew for it, out of the operation's turn.
  await until(async () => (await servedBy(site)).includes(second.fingerprint), 60_000)
})
