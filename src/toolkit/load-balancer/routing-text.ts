import { type ConfiguredListener, folder } from './configuration.ts'
import type { Redirect } from './listener-schema.ts'
import { anySite, type Cell, type Destination, fallbackOf, routingTable } from './routing.ts'
import { word } from './words.ts'

/** A file that HAProxy reads at its start: a map, or a list of networks. */
export interface Table {
  file: string
  text: string
}

/** Lines of a frontend, and the files that they name. */
export interface Rules {
  lines: string[]
  tables: Table[]
}

/** File of a listener's table. */
export const tableFile = (port: number, kind: string): string => `${folder}/tables/${port}.${kind}`

function table<Value>(file: string, rows: Map<string, Value>, text: (value: Value) => string): Table {
  return { file, text: [...rows].map(([key, value]) => `${key} ${text(value)}\n`).join('') }
}

const notFound =
  'http-request return status 404 content-type "text/plain; charset=utf-8" string "There is nothing at this address.\\n"'

/** Names of destinations and cells, as the maps give them; backends have no `@`. */
class Words {
  readonly redirects: Redirect[] = []

  destination(destination: Destination): string {
    if (destination === undefined) return '@none'
    if ('backend' in destination) return destination.backend
    const same = (redirect: Redirect) => JSON.stringify(redirect) === JSON.stringify(destination.redirect)
    const known = this.redirects.findIndex(same)
    return `@redirect-${known < 0 ? this.redirects.push(destination.redirect) - 1 : known}`
  }

  cell([first, ...others]: Cell, index: number): string {
    return others.length === 0 ? this.destination(first?.destination) : `@cell-${index}`
  }
}

/**
 * Lines that send a request where it belongs. Hosts and paths are looked up in maps, so that many cost as much as few; only cells with
 * headers have lines of their own.
 */
export function httpRouting(listener: ConfiguredListener): Rules {
  const fallback = fallbackOf(listener)
  if (listener.routes.length === 0) return { lines: direct(listener, fallback), tables: [] }
  const { port, routes } = listener
  const { hosts, wildcards, exact, prefixes, cells } = routingTable(listener)
  const words = new Words()
  const cellText = (index: number) => words.cell(cells[index] ?? [], index)
  const byHost = hosts.size + wildcards.size > 0
  const byPath = routes.some(({ path }) => path !== undefined)
  const lines: string[] = []
  const tables: Table[] = []
  const file = (kind: string) => tableFile(port, kind)
  // Without paths each site has one cell: the host's map says it at once.
  const ofSite = (site: string) => (byPath ? site : cellText(prefixes.get(`${site}/`) ?? 0))
  const [place, unknown] = byPath ? ['txn.site', anySite] : ['txn.to', ofSite(anySite)]
  if (byHost) {
    const host = 'req.hdr(host),host_only,lower'
    tables.push(table(file('hosts'), hosts, ofSite))
    if (wildcards.size === 0) lines.push(`http-request set-var(${place}) ${host},map(${file('hosts')},${unknown})`)
    else {
      tables.push(table(file('wildcards'), wildcards, ofSite))
      lines.push(
        `http-request set-var(${place}) ${host},map(${file('hosts')})`,
        `http-request set-var(${place}) ${host},map_end(${file('wildcards')},${unknown}) if !{ var(${place}) -m found }`,
      )
    }
  } else lines.push(`http-request set-var(${place}) str(${unknown})`)
  if (byPath) {
    lines.push('http-request set-var(txn.path) path')
    if (exact.size > 0) {
      tables.push(table(file('exact'), exact, cellText))
      lines.push(`http-request set-var(txn.to) var(txn.site),concat(,txn.path),map(${file('exact')})`)
    }
    tables.push(table(file('prefixes'), prefixes, cellText))
    const unless = exact.size > 0 ? ' if !{ var(txn.to) -m found }' : ''
    lines.push(`http-request set-var(txn.to) var(txn.site),concat(,txn.path,/),map_beg(${file('prefixes')})${unless}`)
  }
  for (const [i, cell] of cells.entries()) if (cell.length > 1) lines.push(...cellLines(cell, i, words, port))
  for (const [i, redirect] of words.redirects.entries())
    lines.push(`${redirectLine(listener, redirect)} if { var(txn.to) -m str @redirect-${i} }`)
  if (cells.some((cell) => cell.some(({ destination }) => destination === undefined)))
    lines.push(`${notFound} if { var(txn.to) -m str @none }`)
  // A request without a path (OPTIONS *) is in no map.
  const rest = direct(listener, fallback).map(
    (line) => `${line}${isRule(line) ? ' unless { var(txn.to) -m found }' : ''}`,
  )
  lines.push(...rest.filter(isRule), 'use_backend %[var(txn.to)] if { var(txn.to) -m found }')
  return { lines: [...lines, ...rest.filter((line) => !isRule(line))], tables }
}

function cellLines(cell: Cell, index: number, words: Words, port: number): string[] {
  const is = `{ var(txn.to) -m str @cell-${index} }`
  return cell.map(({ headers, destination }) => {
    const has = Object.entries(headers).map(
      ([name, value]) => ` { req.fhdr(${name}) -m str -- ${word(value, `the header ${name} of port ${port}`)} }`,
    )
    return `http-request set-var(txn.to) str(${words.destination(destination)}) if ${is}${has.join('')}`
  })
}

const isRule = (line: string): boolean => line.startsWith('http-request ')

/** Everything to one destination. */
function direct(listener: ConfiguredListener, destination: Destination): string[] {
  if (destination === undefined) return [notFound]
  if ('backend' in destination) return [`default_backend ${destination.backend}`]
  return [redirectLine(listener, destination.redirect)]
}

function redirectLine({ protocol, port: own }: ConfiguredListener, redirect: Redirect): string {
  const { scheme = protocol === 'https' ? 'https' : 'http', host, path, status } = redirect
  const usual = scheme === 'https' ? 443 : 80
  const port = redirect.port ?? (redirect.scheme === undefined && host === undefined ? own : usual)
  const place = `the redirect of port ${own}`
  const authority = `${host === undefined ? '%[req.hdr(host),host_only]' : word(host, place)}${port === usual ? '' : `:${port}`}`
  return `http-request redirect code ${status} location ${scheme}://${authority}${path === undefined ? '%[pathq]' : word(path, place)}`
}

/** Lines that choose a backend by the name that a TLS client asks for, without ending TLS. */
export function tlsRouting({ port, routes, ...listener }: ConfiguredListener): Rules {
  const fallback = fallbackOf({ port, routes, ...listener })
  const last = fallback && 'backend' in fallback ? [`default_backend ${fallback.backend}`] : []
  if (routes.length === 0) return { lines: last, tables: [] }
  const { hosts, wildcards, prefixes, cells } = routingTable({ port, routes, ...listener })
  const words = new Words()
  const backend = (site: string) => {
    const index = prefixes.get(`${site}/`) ?? 0
    return words.cell(cells[index] ?? [], index)
  }
  const lines = ['tcp-request inspect-delay 5s', 'tcp-request content accept if { req.ssl_hello_type 1 }']
  if (last.length === 0) lines.push('tcp-request content reject')
  const tables: Table[] = []
  for (const [kind, rows, map] of [
    ['hosts', hosts, 'map'],
    ['wildcards', wildcards, 'map_end'],
  ] as const) {
    if (rows.size === 0) continue
    const found = `req.ssl_sni,lower,${map}(${tableFile(port, kind)})`
    tables.push(table(tableFile(port, kind), rows, backend))
    lines.push(`use_backend %[${found}] if { ${found} -m found }`)
  }
  return { lines: [...lines, ...last], tables }
}
