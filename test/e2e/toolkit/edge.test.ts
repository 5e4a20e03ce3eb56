import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { apiUser, type Operated } from '../../support/api-user.ts'
import { startControlPlane, type TestControlPlane } from '../../support/control-plane.ts'
import { until } from '../../support/until.ts'
import { noMachines } from '../providers/local-box.ts'
import { handshake } from './tls.ts'
import { ask } from './web-client.ts'

const example = (path: string) => readFileSync(new URL(`../../../examples/edge/${path}`, import.meta.url), 'utf8')

describe.skipIf(noMachines)(`examples/edge, deployed${noMachines ? ` (${noMachines})` : ''}`, () => {
  let plane: TestControlPlane
  let address = ''
  const base = '/v1/deployments/edge'
  const balancer = `${base}/load-balancers/loadBalancer`

  const { call, succeeded, swept, upload } = apiUser(() => plane)

  beforeAll(async () => {
    plane = await startControlPlane()
    await call('POST', '/v1/clouds', { name: 'home', provider: 'local', settings: {}, credentials: {} })
    const digest = await upload({ 'server.js': example('app/server.js') })
    const blueprint = { text: example('blueprint.yaml') }
    await call('PUT', `${base}/secrets/STAFF_PASSWORD`, { value: 'correct horse' })
    const deploy = { kind: 'deploy', blueprint, sources: { './app': digest }, cloud: 'home' }
    await succeeded(await call<Operated>('POST', `${base}/operations`, deploy))
    const { components } = await call<{ components: { name: string; outputs: { host?: string; url?: string } }[] }>(
      'GET',
      base,
    )
    const outputs = components.find(({ name }) => name === 'loadBalancer')?.outputs
    address = outputs?.host ?? ''
    expect(outputs?.url).toBe(`https://${address}`)
  })

  afterAll(async () => {
    try {
      await succeeded(await call<Operated>('POST', `${base}/operations`, { kind: 'destroy' }))
      expect(await swept()).toEqual([])
    } finally {
      await plane?.stop()
    }
  })

  const page = (host: string, path = '/', port = 443, headers = {}) =>
    ask(`https://${address}:${port}${path}`, { host, headers })

  test('both components behind one address, with the certificate of the deployment', async () => {
    expect(JSON.parse((await page('shop.example')).body)).toMatchObject({ machine: /^shop-/, proto: 'https' })
    expect(JSON.parse((await page('api.shop.example')).body)).toMatchObject({ machine: 'api-1' })
    expect(JSON.parse((await page('shop.example', '/api/x')).body)).toMatchObject({ machine: 'api-1', path: '/api/x' })
    expect((await handshake(address, 443, 'shop.example')).names).toContain('DNS:shop.example')
    const { status, headers } = await ask(`http://${address}/a`, { host: 'shop.example' })
    expect([status, headers.location]).toEqual([308, 'https://shop.example/a'])
    expect((await page('shop.example', '/', 8443)).status).toBe(401)
    const authorization = `Basic ${Buffer.from('staff:correct horse').toString('base64')}`
    expect((await page('shop.example', '/', 8443, { authorization })).status).toBe(200)
  })

  test('the API says what is in force', async () => {
    const { listeners } = await call<{ listeners: object[] }>('GET', `${balancer}/listeners`)
    expect(listeners).toMatchObject([
      { port: 80, open: true, backends: [] },
      { port: 443, protocol: 'https', open: true, backends: ['shop', 'api'], certificates: ['web'] },
      { port: 8443, open: true, backends: ['staff'] },
    ])
    const { certificates } = await call<{ certificates: object[] }>('GET', `${balancer}/certificates`)
    expect(certificates).toMatchObject(
      [1, 2].map((i) => ({
        node: `load-balancer-${i}`,
        name: 'web',
        names: ['shop.example', '*.shop.example'],
        error: '',
      })),
    )
    await expect.poll(() => call('GET', `${balancer}/health`)).toMatchObject({ status: 'healthy' })
  })

  test('a renewed certificate is in force on both, and no request of 50 connections fails', async () => {
    const load = startHttps(address)
    try {
      const before = await handshake(address, 443, 'shop.example')
      await until(() => load.total > 500)
      const renewal = `${base}/certificates/certificates/certificates/web/renewals`
      await succeeded(await call<Operated>('POST', renewal, {}))
      await until(async () => (await handshake(address, 443, 'shop.example')).fingerprint !== before.fingerprint)
      const { certificates } = await call<{ certificates: { fingerprint: string }[] }>(
        'GET',
        `${balancer}/certificates`,
      )
      expect(new Set(certificates.map(({ fingerprint }) => fingerprint)).size).toBe(1)
      const sofar = load.total
      await until(() => load.total > sofar + 500)
    } finally {
      await load.stop()
    }
    expect(load.failures).toEqual([])
  })

  test('maintenance of one backend, by the API', async () => {
    const put = (on: boolean) => call<Operated>('PUT', `${balancer}/backends/shop/maintenance`, { on })
    await succeeded(await put(true))
    const { status, headers, body } = await page('shop.example')
    expect([status, headers['retry-after']]).toEqual([503, '600'])
    expect(body).toContain('We are counting the stock')
    expect((await page('api.shop.example')).status).toBe(200)
    expect(await call('GET', `${balancer}/backends`)).toMatchObject({
      backends: [{ backend: 'shop', maintenance: true }, { backend: 'api' }, { backend: 'staff' }],
    })
    await succeeded(await put(false))
    expect((await page('shop.example')).status).toBe(200)
  })

  test('a check finds nothing to do', async () => {
    await succeeded(await call<Operated>('POST', `${base}/operations`, { kind: 'check' }))
    expect(await call('GET', base)).toMatchObject({ status: 'live' })
  })
})

/** 50 connections of https, half of them kept open between requests. */
function startHttps(address: string): { total: number; failures: string[]; stop(): Promise<void> } {
  const load = { total: 0, failures: [] as string[], stop }
  const agents = [true, false].map((keepAlive) => new Agent({ keepAlive, rejectUnauthorized: false, maxSockets: 25 }))
  let stopping = false
  const once = (agent: Agent) =>
    new Promise<void>((resolve) => {
      const end = (failure?: string) => {
        if (failure !== undefined) load.failures.push(failure)
        load.total++
        resolve()
      }
      const options = {
        host: address,
        agent,
        headers: { host: 'shop.example' },
        servername: 'shop.example',
        timeout: 60_000,
      }
      const sent = request(options, (response) => {
        response.on('error', (error) => end(error.message))
        response.on('end', () => end(response.statusCode === 200 ? undefined : `status ${response.statusCode}`))
        response.resume()
      })
      sent.on('timeout', () => sent.destroy(new Error('timeout')))
      sent.on('error', (error) => end(error.message))
      sent.end()
    })
  const workers = agents.flatMap((agent) =>
    Array.from({ length: 25 }, async () => {
      while (!stopping) await once(agent)
    }),
  )
  async function stop(): Promise<void> {
    stopping = true
    await Promise.all(workers)
    for (const agent of agents) agent.destroy()
  }
  return load
}
