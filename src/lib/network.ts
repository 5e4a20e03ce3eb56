import { isIPv4, isIPv6 } from 'node:net'

/** `203.0.113.0/24`, `2001:db8::/32`: an address and the length of its network's part. */
export function isNetwork(text: string): boolean {
  const [address = '', length = '', ...more] = text.split('/')
  const most = isIPv4(address) ? 32 : isIPv6(address) && !address.includes('%') ? 128 : -1
  return more.length === 0 && /^(0|[1-9]\d{0,2})$/.test(length) && Number(length) <= most
}
