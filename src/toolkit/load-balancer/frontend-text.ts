import { type ConfiguredListener, certificateFile, challengesMap, type Peer } from './configuration.ts'
import { countLines } from './peers-text.ts'
import { httpRouting, type Rules, type Table, tableFile, tlsRouting } from './routing-text.ts'
import { frontendName } from './targets.ts'
import { word } from './words.ts'

/** The port on which ACME servers ask (RFC 8555, 8.3). */
const challengePort = 80

const compressed = [
  'text/html text/plain text/css text/javascript text/xml text/csv',
  'application/javascript application/json application/xml application/problem+json application/manifest+json',
  'image/svg+xml',
].join(' ')

/**
 * The lines of the access log, docs/load-balancer.md#access-log. Monitoring makes its latency histograms from them: fields are only ever
 * added before the path, and then the first word changes.
 */
const logFormats = {
  http: 'access %b %s %ST %Ta %Tr %fp %ci %HM %B %ts %HPO',
  tcp: 'connection %b %s %Tt %fp %ci %U %B %ts',
}

/**
 * One listener as a section of haproxy.cfg, with the files that it names. `peers`: the machines that count clients together; none: each by
 * itself. Pure.
 */
export function frontend(listener: ConfiguredListener, peers: Peer[]): Rules {
  const { port, protocol, timeouts } = listener
  const { lines, tables } = protocol === 'tcp' ? tcpLines(listener, peers) : httpLines(listener, peers)
  return {
    lines: [
      `frontend ${frontendName(port)}`,
      ...[
        bind(listener),
        `mode ${protocol === 'tcp' ? 'tcp' : 'http'}`,
        `timeout client ${timeouts.client}ms`,
        listener.accessLog ? `log-format "${logFormats[protocol === 'tcp' ? 'tcp' : 'http']}"` : 'no log',
        ...lines,
      ].map((line) => `    ${line}`),
    ],
    tables,
  }
}

function bind({ port, protocol, certificates = [] }: ConfiguredListener): string {
  const tls = protocol === 'https' ? ['ssl', ...certificates.map((name) => `crt ${certificateFile(name)}`)] : []
  // Two sockets: on one for both, IPv4 clients would be ::ffff:203.0.113.9 to applications and in the log.
  return [
    'bind',
    `0.0.0.0:${port},[::]:${port}`,
    'v6only',
    ...tls,
    ...(protocol === 'https' ? ['alpn h2,http/1.1'] : []),
  ].join(' ')
}

/** A list of networks in a file: HAProxy's lines have room for a few dozen words only. */
function networks(port: number, kind: string, list: string[], tables: Table[]): string {
  const file = tableFile(port, kind)
  tables.push({ file, text: list.map((network) => `${network}\n`).join('') })
  return `src -f ${file}`
}

function proxied({ port, proxyProtocol: { acceptFrom } }: ConfiguredListener, tables: Table[]): string[] {
  if (acceptFrom.length === 0) return []
  return [`tcp-request connection expect-proxy layer4 if { ${networks(port, 'proxies', acceptFrom, tables)} }`]
}

function tcpLines(listener: ConfiguredListener, peers: Peer[]): Rules {
  const { port, allow, deny, rateLimit } = listener
  const tables: Table[] = []
  const lines = proxied(listener, tables)
  if (allow.length > 0) lines.push(`tcp-request session reject if !{ ${networks(port, 'allow', allow, tables)} }`)
  if (deny.length > 0) lines.push(`tcp-request session reject if { ${networks(port, 'deny', deny, tables)} }`)
  if (rateLimit) {
    const count = countLines(listener, peers)
    lines.push(...count.lines, `tcp-request session reject if ${count.isTooMuch}`)
  }
  const routing = tlsRouting(listener)
  return { lines: [...lines, ...routing.lines], tables: [...tables, ...routing.tables] }
}

function httpLines(listener: ConfiguredListener, peers: Peer[]): Rules {
  const { protocol, compression } = listener
  const tables: Table[] = []
  const lines = [
    ...proxied(listener, tables),
    'option forwardfor',
    // At a reload a connection that waits for its next request is not closed under the client's hands.
    'option idle-close-on-response',
    ...gates(listener, peers, tables),
    `http-request set-header X-Forwarded-Proto ${protocol}`,
  ]
  const routing = httpRouting(listener)
  if (compression) lines.push('compression algo gzip', `compression type ${compressed}`)
  lines.push(...hsts(listener))
  return { lines: [...lines, ...routing.lines], tables: [...tables, ...routing.tables] }
}

/** What a request has to pass before it goes anywhere. */
function gates(listener: ConfiguredListener, peers: Peer[], tables: Table[]): string[] {
  const { port, protocol, allow, deny, rateLimit, limits, basicAuth } = listener
  const lines: string[] = []
  if (protocol === 'http' && port === challengePort) {
    const known = `{ path_beg /.well-known/acme-challenge/ } { path,map(${challengesMap}) -m found }`
    lines.push(
      `http-request return status 200 content-type text/plain lf-string %[path,map(${challengesMap})] if ${known}`,
    )
  }
  if (allow.length > 0)
    lines.push(`http-request deny deny_status 403 if !{ ${networks(port, 'allow', allow, tables)} }`)
  if (deny.length > 0) lines.push(`http-request deny deny_status 403 if { ${networks(port, 'deny', deny, tables)} }`)
  if (rateLimit) {
    const wait = Math.ceil(rateLimit.per / 1000)
    const count = countLines(listener, peers)
    lines.push(
      ...count.lines,
      `http-request return status 429 content-type "text/plain; charset=utf-8" string "Too many requests.\\n" hdr Retry-After ${wait} if ${count.isTooMuch}`,
    )
  }
  if (limits.headers !== undefined)
    lines.push(`http-request return status 431 if { req.hdrs,length gt ${limits.headers} }`)
  if (limits.body !== undefined)
    lines.push(
      `http-request return status 413 if { req.hdr_val(content-length) gt ${limits.body} }`,
      // A length that is not announced cannot be checked before the body has passed.
      'http-request return status 411 if { method POST PUT PATCH } !{ req.hdr(content-length) -m found }',
      'http-request return status 411 if { req.hdr(transfer-encoding) -m found }',
    )
  if (basicAuth)
    lines.push(
      `http-request auth realm ${word(basicAuth.realm, `basicAuth of port ${port}`)} unless { http_auth(${userList(port)}) }`,
    )
  return lines
}

function hsts({ hsts: wanted }: ConfiguredListener): string[] {
  if (!wanted) return []
  const parts = [`max-age=${Math.floor(wanted.maxAge / 1000)}`]
  if (wanted.includeSubDomains) parts.push('includeSubDomains')
  if (wanted.preload) parts.push('preload')
  return [`http-after-response set-header Strict-Transport-Security "${parts.join('; ')}"`]
}

/** Name of a listener's list of users. */
export function userList(port: number): string {
  return `users-${port}`
}
