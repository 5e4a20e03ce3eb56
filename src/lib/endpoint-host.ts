import { BlockList, isIP } from 'node:net'

/** Where metadata services answer, and every other address that only exists on one link. */
const forbidden = new BlockList()
forbidden.addSubnet('169.254.0.0', 16, 'ipv4')
forbidden.addSubnet('fe80::', 10, 'ipv6')
forbidden.addAddress('fd00:ec2::254', 'ipv6')
forbidden.addAddress('100.100.100.200', 'ipv4')
forbidden.addAddress('168.63.129.16', 'ipv4')

const bare = (host: string) => host.replace(/^\[|\]$/g, '').toLowerCase()

/** Whether the host of a cloud's endpoint is one to which requests with credentials and host keys must never go. */
export function isForbiddenHost(host: string): boolean {
  const name = bare(host)
  const family = isIP(name)
  // An IPv4 address in IPv6's clothes, which URL writes as two hexadecimal words.
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(name)
  if (mapped) {
    const [high, low] = [mapped[1], mapped[2]].map((word) => Number.parseInt(word ?? '', 16))
    return isForbiddenHost([(high ?? 0) >> 8, (high ?? 0) & 255, (low ?? 0) >> 8, (low ?? 0) & 255].join('.'))
  }
  if (family === 0) return /(^|\.)(metadata|instance-data)(\.|$)/.test(name)
  return forbidden.check(name, family === 6 ? 'ipv6' : 'ipv4')
}

export function isLoopback(host: string): boolean {
  return bare(host) === 'localhost' || bare(host) === '::1' || /^127\./.test(bare(host))
}
