import { describe, expect, test } from 'vitest'
import type { ConfiguredListener } from '../../../../src/toolkit/load-balancer/configuration.ts'
import { listenerSchema } from '../../../../src/toolkit/load-balancer/listener-schema.ts'
import { anySite, routingTable } from '../../../../src/toolkit/load-balancer/routing.ts'

/** Where a request goes, looked up in the tables as HAProxy does it. */
function destination(routes: object[], host: string, path: string, headers: Record<string, string> = {}): string {
  const listener = listenerSchema.parse({ port: 80, to: 'fallback', routes }) as ConfiguredListener
  const table = routingTable(listener)
  const wildcard = [...table.wildcards].find(([suffix]) => host.endsWith(suffix))?.[1]
  const site = table.hosts.get(host) ?? wildcard ?? anySite
  const key = `${site}${path}/`
  const longest = [...table.prefixes.keys()]
    .filter((prefix) => key.startsWith(prefix))
    .sort((a, b) => b.length - a.length)[0]
  const cell = table.exact.get(site + path) ?? table.prefixes.get(longest ?? '')
  const found = table.cells[cell ?? -1]?.find((one) =>
    Object.entries(one.headers).every(([name, value]) => headers[name] === value),
  )
  return found?.destination && 'backend' in found.destination ? found.destination.backend : 'none'
}

describe('the most specific route counts', () => {
  const routes = [
    { path: '/api', to: 'api' },
    { path: '/api/v2', to: 'api2' },
    { path: '/api', exact: true, to: 'index' },
    { host: 'www.shop.example', to: 'www' },
    { host: 'www.shop.example', path: '/api', header: { 'X-Canary': 'yes' }, to: 'canary' },
    { host: '*.shop.example', path: '/img', to: 'images' },
    { host: '*.eu.shop.example', to: 'europe' },
    { host: 'blog.example', path: '/feed/', to: 'feed' },
  ]
  const requests: [string, string, string, Record<string, string>?][] = [
    ['other.example', '/', 'fallback'],
    ['other.example', '/api', 'index'],
    ['other.example', '/api/', 'api'],
    ['other.example', '/api/x', 'api'],
    ['other.example', '/apis', 'fallback'],
    ['other.example', '/api/v2', 'api2'],
    ['other.example', '/api/v20', 'api'],
    ['www.shop.example', '/', 'www'],
    ['www.shop.example', '/api/x', 'www'],
    ['www.shop.example', '/api/x', 'canary', { 'X-Canary': 'yes' }],
    ['www.shop.example', '/api/x', 'www', { 'X-Canary': 'no' }],
    ['www.shop.example', '/img/1', 'www'],
    ['m.shop.example', '/img/1', 'images'],
    ['m.shop.example', '/api/x', 'api'],
    ['m.shop.example', '/', 'fallback'],
    ['shop.example', '/img/1', 'fallback'],
    ['a.eu.shop.example', '/img/1', 'europe'],
    ['a.eu.shop.example', '/api', 'europe'],
    ['blog.example', '/feed', 'feed'],
    ['blog.example', '/feed/x', 'feed'],
    ['blog.example', '/feeds', 'fallback'],
    ['blog.example', '/api/v2/x', 'api2'],
  ]
  test.for(requests)('%s%s -> %s', ([host, path, to, headers]) => {
    expect(destination(routes, host, path, headers)).toBe(to)
  })
})

test('more headers go before fewer, and order decides between equals', () => {
  const routes = [
    { header: { A: '1' }, to: 'one' },
    { header: { A: '1', B: '2' }, to: 'two' },
    { header: { B: '2' }, to: 'three' },
  ]
  expect(destination(routes, 'h', '/', { A: '1' })).toBe('one')
  expect(destination(routes, 'h', '/', { A: '1', B: '2' })).toBe('two')
  expect(destination(routes, 'h', '/', { B: '2' })).toBe('three')
  expect(destination(routes, 'h', '/')).toBe('fallback')
})
