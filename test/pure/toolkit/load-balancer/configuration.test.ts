import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { packageRoot } from '../../../../src/lib/package-root.ts'
import { toolkit } from '../../../../src/toolkit/registry.ts'
import { configurationOf, filesOf, parametersOf } from './rendered.ts'
import { selfSigned } from './self-signed.ts'

test('the folders under src/toolkit are the registry, beside the contract', () => {
  const folders = readdirSync(join(packageRoot(), 'src/toolkit'), { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && entry.name !== 'contract',
  )
  const kebab = (kind: string) => kind.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  expect(folders.map(({ name }) => name).sort()).toEqual(Object.keys(toolkit).map(kebab).sort())
})

const password = { $ref: 'secrets.ADMIN' }
const sections = {
  http: { listeners: [{ port: 8081, to: 'web', health: { http: '/healthz?a=b' } }] },
  tcp: { listeners: [{ port: 8082, to: 'db', protocol: 'tcp', algorithm: 'leastconn' }] },
  sticky: { listeners: [{ port: 8085, to: 'web', sticky: true, health: { interval: '10s' } }] },
  several: {
    listeners: [
      { port: 8083, to: 'web', algorithm: 'source' },
      { name: 'old', port: 8084, to: { addresses: ['192.0.2.1'], port: 80 } },
    ],
  },
  everything: {
    listeners: [
      { port: 80, redirect: { scheme: 'https', status: 308 } },
      {
        port: 8443,
        protocol: 'https',
        certificates: ['web'],
        hsts: { includeSubDomains: true, preload: true },
        to: 'web',
        routes: [
          { host: 'www.shop.example', path: '/api', to: 'api' },
          { host: '*.shop.example', to: 'web' },
          { path: '/only', exact: true, header: { 'X-A': 'b c' }, to: 'api' },
          { host: 'old.example', redirect: { host: 'www.shop.example', path: '/moved', port: 8443 } },
        ],
        rateLimit: { requests: 5, per: '1s' },
        allow: ['10.0.0.0/8', '::/0'],
        deny: ['10.1.1.1'],
        basicAuth: { users: [{ name: 'ops', password }] },
        compression: true,
        limits: { body: '1MiB', headers: '4KiB' },
        proxyProtocol: { acceptFrom: ['10.0.0.0/8'] },
      },
      {
        port: 8444,
        protocol: 'tcp',
        to: 'db',
        routes: [
          { host: 'a.example', to: 'other' },
          { host: '*.b.example', to: 'other' },
        ],
      },
      {
        port: 8445,
        protocol: 'tcp',
        name: 'sni',
        routes: [{ host: 'a.example', to: 'other' }],
        allow: ['10.0.0.0/8'],
        deny: ['10.0.0.1'],
        rateLimit: { requests: 1 },
      },
      { port: 8446, routes: [{ path: '/a', to: 'web' }], accessLog: false },
      { port: 8447, name: 'proxied', to: 'web', proxyProtocol: { send: 'v1' } },
      { port: 8448, to: 'web', routes: [{ header: { A: 'b' }, to: 'api' }] },
    ],
    maintenance: { page: '<p>It\'s "closed"</p>\n', backends: ['web'] },
  },
}

const haproxy = '/usr/sbin/haproxy'
const pair = [
  { name: 'load-balancer-1', address: '10.0.0.9' },
  { name: 'load-balancer-2', address: 'fd00::9' },
]

describe('the configuration', () => {
  test.for(
    Object.entries(sections).flatMap(([name, section]) => [1, 2].map((replicas) => ({ name, section, replicas }))),
  )(
    '$name is one that HAProxy takes, on $replicas machines',
    { timeout: 30_000 },
    async ({ section, replicas }, context) => {
      if (!existsSync(haproxy)) context.skip('needs haproxy: apt-get install haproxy')
      const nodes = replicas === 1 ? [] : pair
      const files = await filesOf(section, { pem: selfSigned('web.example'), password: 'x', nodes })
      const folder = mkdtempSync(join(tmpdir(), 'kitbag-haproxy-'))
      const own = join(folder, 'kitbag')
      for (const name of ['tables', 'certificates']) mkdirSync(join(own, name), { recursive: true })
      writeFileSync(join(own, 'acme.map'), '')
      for (const [path, content] of files) {
        // The login group of a Kitbag machine; this box may not have it.
        const text = content.replaceAll('/etc/haproxy/kitbag', own).replace('group debian', 'group root')

        writeFileSync(
          path.startsWith('/etc/haproxy/kitbag')
            ? path.replace('/etc/haproxy/kitbag', own)
            : join(folder, basename(path)),
          text,
        )
      }
      const { status, stderr } = spawnSync(haproxy, ['-c', '-f', join(folder, 'haproxy.cfg')])
      // The states of servers are saved at a reload.
      const said = stderr.toString().replace(/^\[NOTICE\].*\n|.*server state file.*\n/gm, '')
      expect([status, said]).toEqual([0, ''])
      rmSync(folder, { recursive: true })
    },
  )

  test('stored overrides are in it: weight, drain, maintenance', async () => {
    const text = await configurationOf(sections.http, {
      overrides: { 'web/web-1': { weight: 7 }, 'web/web-2': { state: 'maintenance' } },
    })
    expect(text).toMatch(/server web-1 .* weight 7$/m)
    expect(text).toMatch(/server web-2 .* disabled/m)
    expect(await configurationOf(sections.http, { overrides: { 'web/web-1': { state: 'drain' } } })).toMatch(
      /server web-1 .* weight 0$/m,
    )
  })

  test('a sticky backend has its own cookie, with each server by its name', async () => {
    const text = await configurationOf(sections.sticky, { overrides: { 'web/web-2': { weight: 0 } } })
    expect(text).toContain('cookie kitbag-web insert indirect nocache httponly attr SameSite=Lax')
    expect(text).toMatch(
      /server web-1 10\.0\.0\.1:8080 check inter 10000ms fastinter 2000ms downinter 2000ms .* cookie web-1 weight 100$/m,
    )
    expect(text).toMatch(/server web-2 .* cookie web-2 weight 0$/m)
    expect(await configurationOf(sections.http)).not.toContain('cookie')
  })

  test('machines that count together have a table each, and let nobody in who is none of them', async () => {
    const limited = { listeners: [{ port: 80, to: 'web', rateLimit: { requests: 5, per: '1s' } }] }
    const files = await filesOf(limited, { nodes: pair })
    const text = files.get('/etc/haproxy/haproxy.cfg') ?? ''
    expect(text).toMatch(/^ {4}localpeer load-balancer-1$/m)
    expect(text).toMatch(/^ {4}peer load-balancer-1 10\.0\.0\.9:10000$/m)
    expect(text).toMatch(/^ {4}peer load-balancer-2 \[fd00::9\]:10000$/m)
    expect(text).toMatch(/^ {4}default-bind ssl .* verify required /m)
    expect(text).toContain('track-sc0 src table "kitbag-peers/rate-80-${HAPROXY_LOCALPEER}"')
    expect(text.match(/^ {4}table rate-80-load-balancer-[12] /gm)).toHaveLength(2)
    expect(files.get('/etc/haproxy/kitbag/certificates/@peers.pem')).toContain('PRIVATE KEY')
    expect(await configurationOf(limited)).not.toContain('peers')
    expect(await configurationOf(sections.http, { nodes: [] })).not.toContain('peers')
  })

  test('a silent machine is out after the timeout: checks in a row have it together', async () => {
    const health = { timeout: '3s', interval: '1s', fall: 3 }
    const text = await configurationOf({ listeners: [{ port: 80, to: 'web', health }] })
    expect(text).toContain('timeout check 1000ms')
    expect(text).toContain('check inter 1000ms fastinter 200ms downinter 200ms rise 1 fall 3')
  })

  test('maintenance: as the blueprint says, until it is switched', async () => {
    const closed = async (overrides = {}) =>
      (await filesOf(sections.everything, { pem: selfSigned('web.example'), password: 'x', overrides })).get(
        '/etc/haproxy/kitbag/maintenance.map',
      )
    expect(await closed()).toBe('web 1\n')
    expect(await closed({ 'maintenance:web': { on: false }, 'maintenance:api': { on: true } })).toBe('api 1\n')
  })
})

describe('a reload', () => {
  const structure = async (section: unknown, given = {}) => (await parametersOf(section, given)).structure
  const [listener] = sections.http.listeners

  test('is not needed by servers, weights, states, certificates and maintenance', async () => {
    const before = await structure(sections.everything, { pem: selfSigned('web.example'), password: 'x' })
    const overrides = { 'web/web-1': { weight: 7 }, 'maintenance:web': { on: false } }
    expect(await structure(sections.everything, { pem: selfSigned('web.example'), password: 'x', overrides })).toBe(
      before,
    )
    const other = { listeners: [{ port: 80, to: { addresses: ['192.0.2.1'], port: 80 } }] }
    const more = { listeners: [{ port: 80, to: { addresses: ['192.0.2.1', '192.0.2.2'], port: 80 } }] }
    expect(await structure(other)).toBe(await structure(more))
  })

  const changes: Record<string, object> = {
    'another path of the health check': { health: { http: '/other' } },
    'another timeout': { timeouts: { client: '5s' } },
    'another network': { deny: ['10.0.0.1'] },
    'another route': { routes: [{ path: '/a', to: 'web' }] },
    'a limit': { rateLimit: { requests: 1 } },
  }
  test.for(Object.entries(changes))('is needed by %s', async ([, change]) => {
    expect(await structure({ listeners: [{ ...listener, ...change }] })).not.toBe(await structure(sections.http))
  })

  test('is needed by another password and another page', async () => {
    const pem = selfSigned('web.example')
    const before = await structure(sections.everything, { pem, password: 'x' })
    expect(await structure(sections.everything, { pem, password: 'y' })).not.toBe(before)
    expect(await structure({ ...sections.http, maintenance: { page: 'x' } })).not.toBe(await structure(sections.http))
  })
})
