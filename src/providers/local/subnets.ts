/** IPv4 as a number, so that ranges can be compared. */
function toNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

function toAddress(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')
}

/** A range `10.1.2.0/24` by its first and last address. */
export interface Range {
  first: number
  last: number
}

function parseRange(text: string): Range {
  const [address = '', length = '32'] = text.split('/')
  const size = 2 ** (32 - Number(length))
  const first = Math.floor(toNumber(address) / size) * size
  return { first, last: first + size - 1 }
}

function overlap(a: Range, b: Range): boolean {
  return a.first <= b.last && b.first <= a.last
}

/** Private ranges in the order in which they are tried; the first is big enough that two installations seldom meet. */
const pools = ['10.64.0.0/10', '172.16.0.0/12', '192.168.0.0/16'].map(parseRange)

/**
 * A /24 that overlaps nothing in `taken` (the box's routes). It is found from the installation's name, so that it mostly gets the
 * same one each time, and two of them different ones even while their bridges are down. undefined: there is none.
 */
export function chooseSubnet(seed: number, taken: string[]): string | undefined {
  const ranges = taken.map(parseRange)
  for (const pool of pools) {
    const count = (pool.last - pool.first + 1) / 256
    for (let step = 0; step < count; step++) {
      const first = pool.first + ((seed + step) % count) * 256
      const range = { first, last: first + 255 }
      if (!ranges.some((other) => overlap(other, range))) return `${toAddress(first)}/24`
    }
  }
  return undefined
}

/** The bridge's own address in a subnet. */
export function gatewayOf(subnet: string): string {
  return toAddress(parseRange(subnet).first + 1)
}

/** The first free address after the last one given; going round, so that an address rests before it is used again. */
export function chooseAddress(subnet: string, used: string[], last: string | undefined): string | undefined {
  const { first } = parseRange(subnet)
  const start = last ? toNumber(last) - first : 1
  for (let step = 1; step <= 253; step++) {
    const offset = 2 + ((start - 2 + step + 253) % 253)
    const address = toAddress(first + offset)
    if (!used.includes(address)) return address
  }
  return undefined
}

/** A MAC that belongs to the address, so that neighbours never hold a stale one for it. */
export function macOf(address: string): string {
  const bytes = [0x02, 0x6b, ...address.split('.').map(Number)]
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':')
}
