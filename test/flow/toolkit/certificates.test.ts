import { createPrivateKey, X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { certificates } from '../../../src/toolkit/certificates/service.ts'
import { issueLeaf, makeAuthority } from '../../../src/toolkit/certificates/x509.ts'
import type { ToolkitRegistry } from '../../../src/toolkit/contract.ts'
import { dns } from '../../../src/toolkit/dns/service.ts'
import { loadBalancer } from '../../../src/toolkit/load-balancer/service.ts'
import { apiUser } from '../../support/api-user.ts'
import { startControlPlane, type TestControlPlane } from '../../support/control-plane.ts'
import { type Pebble, preparePebble, startPebble } from '../../support/pebble.ts'
import { until } from '../../support/until.ts'

/** What load balancers were told to answer, one time after the other: tokens. */
const answered: string[][] = []
const told = async (_context: unknown, answers: ReadonlyMap<string, string>) => {
  for (const [token, answer] of answers) expect(answer.startsWith(`${token}.`)).toBe(true)
  answered.push([...answers.keys()])
}
/** Certificates as they are shipped; of the others what stores and pushes, without asking machines that do not exist. */
const toolkit = {
  certificates,
  dns: { ...dns, control: { ...dns.control, afterConfigure: async () => {} } },
  loadBalancer: { ...loadBalancer, control: { ...loadBalancer.control, challenges: told } },
} as unknown as ToolkitRegistry

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

const { call, ended } = apiUser(() => plane)

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

/** Asks for it as `renew` does, when a try that was under way then has put it off already. */
async function askedWhilePutOff(deployment: string): Promise<Operation> {
  const { store, tenantId } = plane.parts
  const { id: deploymentId = '' } = (await store.deployments.getByName(tenantId, deployment)) ?? {}
  const { id: refresh = '' } = (await store.certificates.list(deploymentId)).find(({ name }) => name === 'web') ?? {}
  await store.certificates.update(refresh, { nextTry: new Date(Date.now() + 3_600_000) })
  const request = { service: 'certificates', refresh }
  const { operation } = await store.operations.submit({ tenantId, deploymentId, deployment, kind: 'push', request })
  return ended(await call('GET', `/v1/operations/${operation.id}`))
}

beforeAll(async () => {
  pebble = await startPebble()
  plane = await startControlPlane({
    overrides: { toolkit },
    worker: { timings: { certificateRetry: 200, firstCertificates: 60_000, watch: 1_000 } },
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
  const deployed = await deploy('first', section)
  expect(deployed).toMatchObject({ status: 'succeeded' })
  const [own, web] = (await rows('first')).sort((a, b) => (a.name < b.name ? -1 : 1))
  expect(web).toMatchObject({ state: 'current', hosts: 'shop.example, *.shop.example', version: 2, error: '' })
  expect(web?.signedBy).toContain('Pebble Intermediate')
  expect(own).toMatchObject({ state: 'current', signedBy: 'CN=Kitbag first', hosts: 'db.internal, 192.0.2.7' })
  const { certificate } = await call<{ certificate: string }>('GET', `${path('first')}/authority`)
  const { chain } = await call<{ chain: string }>('GET', `${path('first')}/certificates/own`)
  expect(new X509Certificate(chain).verify(new X509Certificate(certificate).publicKey)).toBe(true)

  const { store, tenantId } = plane.parts
  const { id = '' } = (await store.deployments.getByName(tenantId, 'first')) ?? {}
  // What showed the authority that the names are the deployment's is taken away again.
  await until(async () => Object.keys((await store.overrides.list(id)).dns ?? {}).length === 0)
  const keys = await Promise.all((await store.certificates.list(id)).map((row) => store.certificates.keyOf(row.id)))
  const lines = keys.flatMap((key) => key.split('\n').filter((line) => /^[A-Za-z0-9+/=]{16,}$/.test(line)))
  const shown: string[] = []
  for (const { id: operation } of await store.operations.list(tenantId, { deployment: 'first' }, { limit: 50 })) {
    shown.push(JSON.stringify(await store.operations.plan(operation, 'main')))
    shown.push(JSON.stringify(await store.operations.events(operation, 0, 1000)))
    shown.push(JSON.stringify(await store.operations.get(operation)))
  }
  for (const read of ['', '/certificates/certificates/certificates', '/certificates/certificates/certificates/own'])
    shown.push(JSON.stringify(await call('GET', `/v1/deployments/first${read}`)))
  expect(lines.length).toBeGreaterThan(4)
  for (const line of lines) expect(shown.join('\n')).not.toContain(line)

  // Nothing changed, so nothing is ordered.
  await deploy('first', section)
  expect((await rows('first')).map(({ version }) => version).sort()).toEqual([1, 2])
})

test('other hosts are another certificate, and a rollback finds the one before again', async () => {
  const section = (hosts: string[]) => ({
    issuers: [issuerOf(pebble)],
    certificates: [{ name: 'web', hosts, issuer: 'pebble' }],
  })
  await deploy('hosts', section(['a.shop.example']))
  const [first] = await rows('hosts')
  await deploy('hosts', section(['a.shop.example', 'b.shop.example']))
  expect(await rows('hosts')).toMatchObject([{ state: 'current', hosts: 'a.shop.example, b.shop.example' }])
  await ended(await call('POST', '/v1/deployments/hosts/operations', { kind: 'rollback', release: 1 }))
  expect(await rows('hosts')).toEqual([first])
})

test('a plan says which machines a certificate changes, and holds when it is carried out', async () => {
  const blueprint = (hosts: string[]) => ({
    text: JSON.stringify({
      apiVersion: 'kitbag/v1',
      name: 'planned',
      toolkit: {
        certificates: { certificates: [{ name: 'web', hosts }] },
        loadBalancer: {
          listeners: [
            { port: 443, protocol: 'https', certificates: ['web'], to: { addresses: ['192.0.2.1'], port: 80 } },
          ],
        },
      },
    }),
  })
  const base = '/v1/deployments/planned'
  const planned = (hosts: string[]) =>
    call<{ digest: string; units: object[]; changes: { action: string; reasons: object[] }[] }>(
      'POST',
      `${base}/plan`,
      {
        blueprint: blueprint(hosts),
        cloud: 'home',
      },
    )
  const actions = async (hosts: string[]) => (await planned(hosts)).changes.map(({ action }) => action)
  const carryOut = async (hosts: string[]) => {
    const { digest: plan } = await planned(hosts)
    const body = { kind: 'deploy', blueprint: blueprint(hosts), cloud: 'home', plan }
    return ended(await call('POST', `${base}/operations`, body))
  }
  expect(await carryOut(['a.example'])).toMatchObject({ status: 'succeeded' })
  expect(await actions(['a.example'])).toEqual(['keep'])
  expect(await actions(['a.example', 'b.example'])).toEqual(['update'])
  expect(await carryOut(['a.example', 'b.example'])).toMatchObject({ status: 'succeeded' })
  expect(await ended(await call('POST', `${path('planned')}/certificates/web/renewals`))).toMatchObject({
    status: 'succeeded',
  })
  // The renewal has brought it to the machines; the watch may just be doing the same once more.
  await until(async () => (await actions(['a.example', 'b.example'])).join() === 'keep')
})

test('two renewals at once are one order; different certificates are ordered side by side', async () => {
  const certificatesOf = ['one', 'two', 'three'].map((name) => ({
    name,
    hosts: [`${name}.shop.example`, '*.shop.example'],
    issuer: 'pebble',
  }))
  await deploy('at-once', { issuers: [issuerOf(pebble)], certificates: certificatesOf })
  expect((await rows('at-once')).map(({ state, version }) => [state, version])).toEqual([
    ['current', 2],
    ['current', 2],
    ['current', 2],
  ])
  const orders = () => pebble.log().split('Added order').length
  const before = orders()
  const renewal = () => call<Operation>('POST', `${path('at-once')}/certificates/one/renewals`)
  const both = await Promise.all([renewal(), renewal()])
  for (const operation of both) expect((await ended(operation)).status).toBe('succeeded')
  expect([orders() - before, (await rows('at-once')).find(({ name }) => name === 'one')?.version]).toEqual([1, 3])
})

test('load balancers answer for all certificates that are ordered, and in the end for none', async () => {
  const names = ['one', 'two', 'three', 'four']
  const blueprint = {
    apiVersion: 'kitbag/v1',
    name: 'http',
    toolkit: {
      certificates: {
        issuers: [issuerOf(pebble, { challenge: 'http-01' })],
        // Hosts that were never proved before: of those that were Pebble takes one of a hundred for proved, though it is told to take none.
        certificates: names.map((name) => ({ name, hosts: [`${name}.http.example`], issuer: 'pebble' })),
      },
      loadBalancer: { listeners: [{ port: 80, to: { addresses: ['192.0.2.1'], port: 80 } }] },
    },
  }
  const body = { kind: 'deploy', blueprint: { text: JSON.stringify(blueprint) }, cloud: 'home' }
  expect(await ended(await call('POST', '/v1/deployments/http/operations', body))).toMatchObject({
    status: 'succeeded',
  })
  expect((await rows('http')).map(({ state }) => state)).toEqual(names.map(() => 'current'))
  expect(new Set(answered.flat()).size).toBe(4)
  expect(answered.at(-1)).toEqual([])
})

test('while the authority is away a deploy succeeds and says so; when it is back the certificate comes by itself', async () => {
  const own = await preparePebble()
  try {
    const section = {
      issuers: [issuerOf(own)],
      certificates: [{ name: 'web', hosts: ['shop.example'], issuer: 'pebble' }],
    }
    const operation = await deploy('away', section)
    expect(operation.status).toBe('succeeded')
    const events = await plane.parts.store.operations.events(operation.id, 0, 1000)
    const warnings = events.flatMap(({ data }) => (data.level === 'warn' ? [data.message] : []))
    expect(warnings.join()).toMatch(
      /certificate web: 127\.0\.0\.1:\d+ does not answer: .*ECONNREFUSED.*; tried again at 20/,
    )
    const [waiting] = await rows('away')
    expect(waiting).toMatchObject({ state: 'stand-in', signedBy: 'CN=Kitbag away' })
    expect([waiting?.failures, waiting?.nextTry]).toEqual([expect.any(Number), expect.any(String)])
    const refused = await ended(await call('POST', `${path('away')}/certificates/web/renewals`))
    expect([refused.status, refused.error?.message]).toEqual(['failed', expect.stringContaining('ECONNREFUSED')])
    const again = await askedWhilePutOff('away')
    expect([again.status, again.error?.message]).toEqual(['failed', expect.stringContaining('ECONNREFUSED')])

    const levels = async () => {
      const { items } = await call<{ items: { type: string; level: string }[] }>('GET', `${path('away')}/events`)
      return items.flatMap(({ type, level }) => (type === 'decision' ? [level] : []))
    }
    await until(async () => (await levels()).includes('warn'))
    const health = () => call<{ status: string }>('GET', `${path('away')}/health`)
    await expect.poll(health).toMatchObject({ status: 'degraded' })
    await own.start()
    await until(async () => (await rows('away'))[0]?.state === 'current')
    await until(async () => (await levels())[0] === 'info')
    await expect.poll(health).toMatchObject({ status: 'healthy' })
  } finally {
    await own.close()
  }
})

test('what an authority refuses is told in its words', async () => {
  const eab = { 'kid-1': 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W' }
  const own = await startPebble({ eab })
  try {
    const put = (value: string) => call('PUT', '/v1/deployments/eab/secrets/EAB', { value })
    await put('d3Jvbmc')
    const hmacKey = '${secrets.EAB}'
    const section = (more: object) => ({
      issuers: [issuerOf(own, more)],
      certificates: [{ name: 'web', hosts: ['shop.example'], issuer: 'pebble' }],
    })
    await deploy('eab', section({}))
    expect((await rows('eab'))[0]?.error).toContain('externalAccountBinding')
    await deploy('eab', section({ eab: { keyId: 'kid-1', hmacKey } }))
    expect((await rows('eab'))[0]).toMatchObject({
      state: 'stand-in',
      error: expect.stringMatching(/JWS|binding|MAC/i),
    })
    await put(eab['kid-1'])
    await deploy('eab', section({ eab: { keyId: 'kid-1', hmacKey } }))
    await until(async () => (await rows('eab'))[0]?.state === 'current')
  } finally {
    await own.close()
  }
})

describe('uploads', () => {
  const day = 86_400_000
  const hosts = ['www.shop.example', 'shop.example']
  const now = Date.now()
  const authority = (at = now) => ({
    ...makeAuthority('Somebody', 3650 * day, new Date(at)),
    name: 'Somebody',
    until: new Date(now + 3650 * day),
  })
  const ours = authority()
  const leaf = (of = ours, given = hosts, at = now) =>
    issueLeaf(of, { hosts: given, lifetime: 90 * day, now: new Date(at) })
  const good = leaf()
  const chained = good.certificate + ours.certificate

  beforeAll(async () => {
    const section = {
      certificates: [
        { name: 'web', hosts, issuer: 'upload' },
        { name: 'own', hosts },
      ],
    }
    expect((await deploy('uploads', section)).status).toBe('succeeded')
  })

  const upload = (name: string, body: object) => plane.request('PUT', `${path('uploads')}/certificates/${name}`, body)

  test.for<[string, { certificate: string; key: string }]>([
    ['the key is not that of the certificate', { certificate: good.certificate, key: leaf().key }],
    ['the certificate expired at 20', leafBody(leaf(authority(now - 200 * day), hosts, now - 100 * day))],
    ['the certificate is not valid before 20', leafBody(leaf(ours, hosts, now + 2 * day))],
    ['it is not for shop.example, but for www.shop.example', leafBody(leaf(ours, ['www.shop.example']))],
    ['did not sign the one before it', { certificate: good.certificate + authority().certificate, key: good.key }],
    ['is no authority', { certificate: good.certificate + leaf().certificate, key: good.key }],
    ['there is no certificate in it', { certificate: 'hello', key: good.key }],
    ['the key cannot be read', { certificate: good.certificate, key: 'hello' }],
    ['the key is encrypted', { certificate: good.certificate, key: encrypted(good.key) }],
    ['a certificate cannot be read', { certificate: good.certificate.replace(/MII.{20}/, ''), key: good.key }],
  ])('refused: %s', async ([reason, body]) => {
    const response = await upload('web', body)
    const answer = (await response.json()) as { detail: string }
    expect([response.status, answer.detail]).toEqual([400, expect.stringContaining(reason)])
    expect(JSON.stringify(answer)).not.toContain(body.key.split('\n')[1] ?? 'hello')
  })

  test('a good one replaces what stood in; only where the blueprint waits for one', async () => {
    expect(await rows('uploads')).toMatchObject([{ name: 'web', state: 'stand-in' }, { name: 'own' }])
    const answer = await upload('web', { certificate: chained, key: good.key })
    expect(answer.status).toBe(202)
    expect((await ended((await answer.json()) as Operation)).status).toBe('succeeded')
    const [web] = await rows('uploads')
    expect(web).toMatchObject({ state: 'current', signedBy: 'CN=Somebody', nextTry: null })
    expect((await upload('own', { certificate: chained, key: good.key })).status).toBe(409)
    expect((await upload('nosuch', { certificate: chained, key: good.key })).status).toBe(404)
    expect((await plane.request('POST', `${path('uploads')}/certificates/web/renewals`)).status).toBe(409)
  })
})

function leafBody({ certificate, key }: { certificate: string; key: string }) {
  return { certificate, key }
}

function encrypted(key: string): string {
  const options = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' } as const
  return createPrivateKey(key).export(options).toString()
}
