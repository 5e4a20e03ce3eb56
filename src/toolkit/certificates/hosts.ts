import { BlockList, isIP } from 'node:net'

const label = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/

/** A host as certificates have it: a domain name in lower case, `*.` before one, or an address. undefined: it is none. */
export function readHost(text: string): string | undefined {
  if (isIP(text) === 4 || (isIP(text) === 6 && !/[%.]/.test(text))) return text.toLowerCase()
  const name = text.toLowerCase().replace(/\.$/, '')
  const labels = name.replace(/^\*\./, '').split('.')
  const isName = name.length <= 253 && labels.every((part) => label.test(part)) && !/^\d+$/.test(labels.at(-1) ?? '')
  return isName ? name : undefined
}

export const isWildcard = (host: string): boolean => host.startsWith('*.')

/** Whether a certificate for `names` serves `host` (RFC 6125, 6.4): a star stands for one label. */
export function isCovered(host: string, names: string[]): boolean {
  if (isIP(host)) return names.some((name) => sameAddress(name, host))
  const above = `*.${host.split('.').slice(1).join('.')}`
  return names.some((name) => name === host || (!isWildcard(host) && name === above))
}

function sameAddress(a: string, b: string): boolean {
  const family = isIP(a)
  if (family === 0 || family !== isIP(b)) return false
  const list = new BlockList()
  const kind = family === 4 ? 'ipv4' : 'ipv6'
  list.addAddress(a, kind)
  return list.check(b, kind)
}
