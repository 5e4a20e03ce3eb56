import { isIPv6 } from 'node:net'
import { type ConfiguredListener, certificateFile, type Peer, peersCertificate } from './configuration.ts'

/** Where the machines tell each other their counts. Who connects has to prove that it is one of them. */
export const peersPort = 10_000

const section = 'kitbag-peers'

/** Entries of a table of clients' addresses. */
const tableSize = '100k'

/** What a listener counts of each client. */
export function counted({ protocol }: Pick<ConfiguredListener, 'protocol'>): 'sess_rate' | 'http_req_rate' {
  return protocol === 'tcp' ? 'sess_rate' : 'http_req_rate'
}

/** A table as it is declared, without its name. */
function tableText(listener: ConfiguredListener): string {
  const per = listener.rateLimit?.per
  return `type ipv6 size ${tableSize} expire ${per}ms store ${counted(listener)}(${per}ms)`
}

const tableName = (port: number, node: string): string => `rate-${port}-${node}`

/**
 * A section of haproxy.cfg for machines that share what they count. HAProxy tells others an entry as it is, which replaces theirs: so each
 * machine has a table of its own, in which nobody else counts, and knows the others'. Pure.
 */
export function peersLines(listeners: ConfiguredListener[], peers: Peer[]): string[] {
  const file = certificateFile(peersCertificate)
  const tls = `ssl crt ${file} ca-file ${file} verify required ssl-min-ver TLSv1.3`
  const lines = [
    `default-bind ${tls}`,
    `default-server ${tls}`,
    ...peers.map(({ name, address }) => `peer ${name} ${isIPv6(address) ? `[${address}]` : address}:${peersPort}`),
    ...listeners
      .filter(({ rateLimit }) => rateLimit)
      .flatMap((listener) => peers.map(({ name }) => `table ${tableName(listener.port, name)} ${tableText(listener)}`)),
  ]
  return [`peers ${section}`, ...lines.map((line) => `    ${line}`)]
}

/** How a listener counts a client, and the condition under which that is too much. */
export interface Count {
  lines: string[]
  isTooMuch: string
}

/** Of a limited listener: by itself, or as the sum of what its machines count. Pure. */
export function countLines(listener: ConfiguredListener, peers: Peer[]): Count {
  const { protocol, port, rateLimit } = listener
  const [when, scope] = protocol === 'tcp' ? ['tcp-request session', 'sess'] : ['http-request', 'txn']
  const most = rateLimit?.requests
  if (peers.length === 0)
    return {
      lines: [`stick-table ${tableText(listener)}`, `${when} track-sc0 src`],
      isTooMuch: `{ sc_${counted(listener)}(0) gt ${most} }`,
    }
  const sum = `${scope}.rate`
  return {
    lines: [
      // HAProxy puts its machine's own name in, so that the text is the same on all of them.
      `${when} track-sc0 src table "${section}/${tableName(port, '${HAPROXY_LOCALPEER}')}"`,
      ...peers.map(({ name }, i) => {
        const own = `src,table_${counted(listener)}(${section}/${tableName(port, name)})`
        return `${when} set-var(${sum}) ${own}${i === 0 ? '' : `,add(${sum})`}`
      }),
    ],
    isTooMuch: `{ var(${sum}) -m int gt ${most} }`,
  }
}
