import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Load, startLoad } from '../../../bench/load.ts'
import { apiUser } from '../../support/api-user.ts'
import { startControlPlane, type TestControlPlane } from '../../support/control-plane.ts'
import { type Pebble, preparePebble } from '../../support/pebble.ts'
import { until } from '../../support/until.ts'
import { noMachines } from '../providers/local-box.ts'

const run = promisify(execFile)

/** Answers over https with the certificate of its environment. */
const overHttps = `
const { TLS: pem, PORT } = process.env
const server = require('node:https').createServer({ cert: pem, key: pem }, (request, response) => response.end('hello'))
server.listen(Number(PORT), '::')
process.on('SIGTERM', () => server.close(() => process.exit(0)))
`
const overHttp = `
const server = require('node:http').createServer((request, response) => response.end('hello'))
server.keepAliveTimeout = 65_000
server.listen(Number(process.env.PORT), '::')
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
const deployments = new Set<string>()

const { call, ended, swept, upload } = apiUser(() => plane)

const base = (deployment: string): string => `/v1/deployments/${deployment}`
const certificatesOf = (deployment: string): string => `${base(deployment)}/certificates/certificates`

async function certificate(deployment: string, name: string): Promise<Certificate> {
  return call('GET', `${certificatesOf(deployment)}/certificates/${name}`)
}

const renew = async (deployment: string, name: string): Promise<Operation> =>
  ended(await call('POST', `${certificatesOf(deployment)}/certificates/${name}/renewals`))

async function authorityOf(deployment: string): Promise<string> {
  return (await call<{ certificate: string }>('GET', `${certificatesOf(deployment)}/authority`)).certificate
}

async function addressesOf(deployment: string, component: string): Promise<string[]> {
  const { machines } = await call<{ machines: { component: string; address: string }[] }>('GET', base(deployment))
  return machines.filter((machine) => machine.component === component).map(({ address }) => address)
}

const addressOf = async (deployment: string, component: string): Promise<string> =>
  (await addressesOf(deployment, component))[0] ?? ''

async function deploy(name: string, application: string, components: object, toolkit: object): Promise<void> {
  const digest = await upload({ 'server.js': application })
  const text = JSON.stringify({ apiVersion: 'kitbag/v1', name, components, toolkit })
  const body = { kind: 'deploy', blueprint: { text }, sources: { './app': digest }, cloud: 'home' }
  deployments.add(name)
  expect(await ended(await call('POST', `${base(name)}/operations`, body))).toMatchObject({ status: 'succeeded' })
}

async function destroy(name: string): Promise<void> {
  const { status } = await ended(await call('POST', `${base(name)}/operations`, { kind: 'destroy' }))
  if (status === 'succeeded') deployments.delete(name)
}

/** What a client that trusts `ca` alone gets of the application under this name. */
async function fetched(ca: string, host: string, address: string, port: number): Promise<string> {
  await writeFile(join(folder, 'ca.pem'), ca)
  const to = `https://${host}:${port}/`
  const { stdout } = await run('curl', [
    ...['-sS', '--max-time', '60', '--cacert', join(folder, 'ca.pem')],
    ...['--resolve', `${host}:${port}:${address}`, to],
  ])
  return stdout
}

/** Fingerprint of the certificate that is served; empty: nobody answers. */
async function servedBy(address: string, port: number, name = 'www.shop.example'): Promise<string> {
  const asked = run('openssl', ['s_client', '-connect', `${address}:${port}`, '-servername', name])
  asked.child.stdin?.end()
  const { stdout } = await asked.catch((error: { stdout: string }) => error)
  if (!stdout.includes('-----BEGIN CERTIFICATE-----')) return ''
  const file = join(folder, `served-${address}.pem`)
  await writeFile(file, stdout)
  return (await run('openssl', ['x509', '-in', file, '-noout', '-fingerprint', '-sha256'])).stdout
}

describe.skipIf(noMachines)(`certificates on real machines${noMachines ? ` (${noMachines})` : ''}`, () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kitbag-certificates-'))
    pebble = await preparePebble()
    plane = await startControlPlane({ worker: { timings: { certificateRetry: 600_000 } } })
    await call('POST', '/v1/clouds', { name: 'home', provider: 'local' })
  })
  afterAll(async () => {
    try {
      for (const name of deployments) await destroy(name)
      expect(await swept()).toEqual([])
    } finally {
      await plane?.stop()
      await pebble?.close()
      await rm(folder, { recursive: true, force: true })
    }
  })

  test('a stand-in is served while the authority is away, and its certificate once it is back', async () => {
    const { directory, trust } = pebble
    const site = {
      source: './app',
      runtime: 'nodejs',
      start: 'node server.js',
      port: 8443,
      public: true,
      env: { TLS: '${certificates.web.pem}' },
    }
    await deploy(
      'site',
      overHttps,
      { site },
      {
        dns: { zone: 'shop.example', nameservers: 1 },
        certificates: {
          issuers: [{ name: 'pebble', acme: { directory, trust } }],
          certificates: [{ name: 'web', hosts: ['shop.example', '*.shop.example'], issuer: 'pebble' }],
        },
      },
    )
    const address = await addressOf('site', 'site')
    const first = await certificate('site', 'web')
    expect(first).toMatchObject({ state: 'stand-in', error: expect.stringContaining('does not answer') })
    expect(await fetched(await authorityOf('site'), 'www.shop.example', address, 8443)).toBe('hello')

    await pebble.start(`${await addressOf('site', 'dns')}:53`)
    const renewed = await renew('site', 'web')
    expect([renewed.status, renewed.error, pebble.log()]).toEqual(['succeeded', null, expect.anything()])
    const second = await certificate('site', 'web')
    expect(second.state).toBe('current')
    expect(second.signedBy).toContain('Pebble Intermediate')
    // The application is started anew for it, out of the operation's turn.
    await until(async () => (await servedBy(address, 8443)).includes(second.fingerprint))
    expect(await fetched(await pebble.root(), 'www.shop.example', address, 8443)).toBe('hello')
    await pebble.stop()
    await destroy('site')
  })

  test('behind two load balancers, by both challenges; renewed under load without a request lost', async () => {
    const { directory, trust } = pebble
    const web = { source: './app', runtime: 'nodejs', start: 'node server.js', port: 8080 }
    const issuer = (challenge: string) => ({ name: challenge, acme: { directory, trust, challenge } })
    const listeners = [
      { port: 80, redirect: { scheme: 'https' } },
      { port: 443, protocol: 'https', certificates: ['web', 'name', 'own'], to: 'web' },
    ]
    await deploy(
      'front',
      overHttp,
      { web },
      {
        dns: {
          zone: 'shop.example',
          nameservers: 1,
          records: [{ name: 'name', type: 'A', value: '${loadBalancer.addresses}' }],
        },
        loadBalancer: { listeners, replicas: 2 },
        certificates: {
          issuers: [issuer('dns-01'), issuer('http-01')],
          certificates: [
            { name: 'web', hosts: ['*.shop.example'], issuer: 'dns-01' },
            { name: 'name', hosts: ['name.shop.example'], issuer: 'http-01' },
            { name: 'own', hosts: ['own.internal'] },
          ],
        },
      },
    )
    const balancers = await addressesOf('front', 'loadBalancer')
    const [balancer = ''] = balancers
    expect(balancers).toHaveLength(2)
    const own = await authorityOf('front')
    for (const host of ['www.shop.example', 'name.shop.example', 'own.internal'])
      expect(await fetched(own, host, balancer, 443)).toBe('hello')

    await pebble.start(`${await addressOf('front', 'dns')}:53`)
    const ca = [own, await pebble.root()]
    const load = (keepAlive: boolean): Load =>
      startLoad(`https://${balancer}/`, { connections: 25, keepAlive, tls: { ca, servername: 'www.shop.example' } })
    const loads = [true, false].map(load)
    try {
      for (const name of ['web', 'name', 'own', 'web']) {
        const renewed = await renew('front', name)
        expect([name, renewed.status, renewed.error]).toEqual([name, 'succeeded', null])
        const { state, fingerprint } = await certificate('front', name)
        const host = name === 'own' ? 'own.internal' : `${name === 'web' ? 'www' : name}.shop.example`
        // With the end of the operation, on all of them.
        const served = await Promise.all(balancers.map((one) => servedBy(one, 443, host)))
        expect([state, ...served]).toEqual(['current', ...balancers.map(() => expect.stringContaining(fingerprint))])
      }
    } finally {
      const results = await Promise.all(loads.map((one) => one.stop(500)))
      expect(results.map(({ failures }) => failures)).toEqual([{}, {}])
      console.log(
        `${results.reduce((sum, { total }) => sum + total, 0)} requests over https while certificates changed`,
      )
    }
    expect(await fetched(await pebble.root(), 'name.shop.example', balancer, 443)).toBe('hello')
  })
})
