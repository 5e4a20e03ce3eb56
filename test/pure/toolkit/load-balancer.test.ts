import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { packageRoot } from '../../../src/lib/package-root.ts'
import { compile } from '../../../src/recipes/compile.ts'
import { shippedRecipes } from '../../../src/recipes/shipped.ts'
import { structureDigest } from '../../../src/toolkit/load-balancer/configuration.ts'
import { loadBalancerSchema } from '../../../src/toolkit/load-balancer/schema.ts'
import { loadBalancer } from '../../../src/toolkit/load-balancer/service.ts'
import { toolkit } from '../../../src/toolkit/registry.ts'

const recipes = await shippedRecipes()

test('the folders under src/toolkit are the registry', () => {
  const folders = readdirSync(join(packageRoot(), 'src/toolkit'), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  )
  const kebab = (kind: string) => kind.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  expect(folders.map(({ name }) => name).sort()).toEqual(Object.keys(toolkit).map(kebab).sort())
})

const servers = [
  { name: 'web-1', address: '10.0.0.1', port: 8080 },
  { name: 'web-2', address: 'fd00::2', port: 8080 },
]

function configuration(section: unknown, overrides: Record<string, unknown> = {}): string {
  const spec = loadBalancerSchema.parse(section)
  const [component] = loadBalancer.plan({ name: 'loadBalancer', spec, components: [] }).components
  const settings = component?.settings as { listeners: Record<string, unknown>[]; structure: string }
  const listeners = settings.listeners.map((listener) => ({
    ...listener,
    servers: Array.isArray(listener.servers) ? listener.servers : servers,
  }))
  const recipe = recipes.get('haproxy')
  if (!recipe) throw new Error('no recipe')
  const context = {
    installation: 'i',
    deployment: 'd',
    component: 'loadBalancer',
    machine: { name: 'load-balancer-1', address: '10.0.0.9', user: 'debian', cpu: 1, memory: 1 },
    parameters: { listeners, structure: settings.structure, overrides },
    port: 80,
    env: {},
    release: { number: 1 },
    consumers: [],
    peers: [],
  }
  const { text } = compile(recipe, 'configure', context, { mode: 'apply', secrets: [] })
  const contents = [...text.matchAll(/kb_content\(\) \{ printf %s '((?:[^']|'\\'')*)'/g)].map(
    ([, content = '']) => content,
  )
  return (contents.find((content) => content.includes('\nfrontend ')) ?? '').replaceAll("'\\''", "'")
}

const sections = {
  http: { listeners: [{ port: 8081, to: 'web', health: { http: '/healthz' } }] },
  tcp: { listeners: [{ port: 8082, to: 'db', protocol: 'tcp', algorithm: 'leastconn' }] },
  sticky: { listeners: [{ port: 8085, to: 'web', sticky: true, health: { interval: '10s' } }] },
  several: {
    listeners: [
      { port: 8083, to: 'web', algorithm: 'source' },
      { name: 'old', port: 8084, to: { addresses: ['192.0.2.1'], port: 80 } },
    ],
  },
}

const haproxy = '/usr/sbin/haproxy'

describe('the configuration', () => {
  test.for(Object.entries(sections))('%s is one that HAProxy takes', { timeout: 30_000 }, ([, section], context) => {
    if (!existsSync(haproxy)) context.skip('needs haproxy: apt-get install haproxy')
    const text = configuration(section)
    expect(text).toContain('server web-1')
    const folder = mkdtempSync(join(tmpdir(), 'kitbag-haproxy-'))
    const file = join(folder, 'haproxy.cfg')
    // The login group of a Kitbag machine; this box may not have it.
    writeFileSync(file, text.replace('group debian', 'group root'))
    execFileSync(haproxy, ['-c', '-q', '-f', file])
    rmSync(folder, { recursive: true })
  })

  test('stored overrides are in it: weight, drain, maintenance', () => {
    const text = configuration(sections.http, { 'web/web-1': { weight: 7 }, 'web/web-2': { state: 'maintenance' } })
    expect(text).toMatch(/server web-1 .* weight 7$/m)
    expect(text).toMatch(/server web-2 .* disabled/m)
    expect(configuration(sections.http, { 'web/web-1': { state: 'drain' } })).toMatch(/server web-1 .* weight 0$/m)
  })

  test('a sticky backend has its own cookie, with each server by its name', () => {
    const text = configuration(sections.sticky, { 'web/web-2': { weight: 0 } })
    expect(text).toContain('cookie kitbag-web insert indirect nocache httponly attr SameSite=Lax')
    expect(text).toMatch(
      /server web-1 10\.0\.0\.1:8080 check inter 10000ms downinter 2000ms .* cookie web-1 weight 100$/m,
    )
    expect(text).toMatch(/server web-2 .* cookie web-2 weight 0$/m)
    expect(configuration(sections.http)).not.toContain('cookie')
  })

  test('a path that would break out of its line is refused', () => {
    expect(() =>
      loadBalancerSchema.parse({ listeners: [{ port: 80, to: 'web', health: { http: '/a\nbind :1' } }] }),
    ).toThrow('begins with /')
  })
})

test('servers, weights and states need no reload; everything else does', () => {
  const digest = (section: unknown) => {
    const [component] = loadBalancer.plan({
      name: 'lb',
      spec: loadBalancerSchema.parse(section),
      components: [],
    }).components
    return component?.settings.structure
  }
  expect(digest(sections.http)).toBe(digest(sections.http))
  expect(digest(sections.http)).not.toBe(digest({ listeners: [{ port: 8081, to: 'web', health: { http: '/other' } }] }))
  const listener = {
    backend: 'web',
    port: 1,
    protocol: 'http' as const,
    algorithm: 'x',
    cookie: null,
    health: { http: null, interval: 1, downInterval: 1, timeout: 1, rise: 1, fall: 1 },
    timeouts: { connect: 1, client: 1, server: 1, queue: 1 },
  }
  expect(structureDigest([{ ...listener, servers }])).toBe(structureDigest([{ ...listener, servers: [] }]))
})
