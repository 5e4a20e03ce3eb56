import type { ConfiguredListener } from './configuration.ts'
import type { Redirect, Route } from './listener-schema.ts'
import { backendName } from './targets.ts'

/** Where a request goes: a backend, a redirect, or nowhere (404). */
export type Destination = { backend: string } | { redirect: Redirect } | undefined

/** Destinations of one kind of request: the first whose headers it has. The last one asks for none. */
export type Cell = { headers: Record<string, string>; destination: Destination }[]

/** What a listener's routes come to: a request's host gives a site, the site and the path a cell. */
export interface RoutingTable {
  /** Host -> site. */
  hosts: Map<string, string>
  /** `.shop.example` -> site; longest first. */
  wildcards: Map<string, string>
  /** Site and path -> cell. */
  exact: Map<string, number>
  /** Site and path with `/` at its end -> cell: the longest that a request begins with. */
  prefixes: Map<string, number>
  cells: Cell[]
}

/** The site of a request whose host no route names. */
export const anySite = '-'

interface Key {
  path: string
  exact: boolean
}

const withoutSlash = (path: string): string => path.replace(/\/+$/, '')

const isBelow = (path: string, above: string): boolean => path === above || path.startsWith(`${above}/`)

/** Where a listener sends what no route takes. */
export function fallbackOf({ name, to, port, redirect }: ConfiguredListener): Destination {
  if (redirect) return { redirect }
  return to === undefined ? undefined : { backend: backendName(name, to, port) }
}

/**
 * The most specific route counts: first by host (named, below the longest wildcard, any), then by path (exact, longest), then by the number
 * of headers, then by order.
 */
export function routingTable(listener: ConfiguredListener): RoutingTable {
  const { routes, port } = listener
  const hosts = [...new Set(routes.flatMap(({ host }) => host ?? []))]
  const wild = hosts.filter((host) => host.startsWith('*.')).sort((a, b) => b.length - a.length)
  const sites = [undefined, ...hosts.filter((host) => !host.startsWith('*.')), ...wild]
  const keys = distinct(routes.map(keyOf).concat({ path: '', exact: false }))
  const table: RoutingTable = {
    hosts: new Map(),
    wildcards: new Map(),
    exact: new Map(),
    prefixes: new Map(),
    cells: [],
  }
  const known = new Map<string, number>()
  const cellOf = (cell: Cell): number => {
    const text = JSON.stringify(cell)
    const index = known.get(text) ?? table.cells.push(cell) - 1
    known.set(text, index)
    return index
  }
  for (const [i, host] of sites.entries()) {
    const site = host === undefined ? anySite : String(i)
    if (host?.startsWith('*.')) table.wildcards.set(host.slice(1), site)
    else if (host !== undefined) table.hosts.set(host, site)
    const ofHost = routes
      .map((route, order) => ({ route, order, rank: rankOf(route.host, host) }))
      .filter(({ rank }) => rank !== undefined)
    for (const key of keys) {
      const taken = ofHost
        .filter(({ route }) => takes(route, key))
        .sort((a, b) => (b.rank ?? 0) - (a.rank ?? 0) || compare(a.route, b.route) || a.order - b.order)
        .map(({ route }) => ({ headers: route.header ?? {}, destination: destinationOf(route, port) }))
      const last = taken.findIndex(({ headers }) => Object.keys(headers).length === 0)
      const cell = last < 0 ? [...taken, { headers: {}, destination: fallbackOf(listener) }] : taken.slice(0, last + 1)
      if (key.exact) table.exact.set(site + key.path, cellOf(cell))
      else table.prefixes.set(`${site}${key.path}/`, cellOf(cell))
    }
  }
  return table
}

function keyOf({ path = '', exact }: Route): Key {
  return exact ? { path, exact } : { path: withoutSlash(path), exact }
}

function distinct(keys: Key[]): Key[] {
  return [...new Map(keys.map((key) => [`${key.exact} ${key.path}`, key])).values()]
}

/** How well a route's host fits a site; undefined: not at all. */
function rankOf(host: string | undefined, site: string | undefined): number | undefined {
  if (host === undefined) return 0
  if (host === site) return 1000
  const covers = host.startsWith('*.') && site?.replace(/^\*/, '').endsWith(host.slice(1))
  return covers ? host.length : undefined
}

/** Whether a route takes all requests of a key. */
function takes(route: Route, key: Key): boolean {
  const own = keyOf(route)
  if (own.exact) return key.exact && key.path === own.path
  return isBelow(key.exact ? withoutSlash(key.path) : key.path, own.path)
}

function compare(a: Route, b: Route): number {
  const length = ({ path = '' }: Route) => path.length
  const headers = ({ header = {} }: Route) => Object.keys(header).length
  return Number(b.exact) - Number(a.exact) || length(b) - length(a) || headers(b) - headers(a)
}

function destinationOf({ name, to, redirect }: Route, port: number): Destination {
  if (redirect) return { redirect }
  return to === undefined ? undefined : { backend: backendName(name, to, port) }
}
