import { readState } from '../../lib/state-file.ts'

/** Files that name the upstream resolvers where /etc/resolv.conf names a local stub. */
const files = [
  '/etc/resolv.conf',
  '/run/systemd/resolve/resolv.conf',
  '/run/NetworkManager/no-stub-resolv.conf',
  '/run/NetworkManager/resolv.conf',
]

/** Used when the box names no resolver that a guest could reach. */
const publicResolvers = ['9.9.9.9', '1.1.1.1']

/** IPv4 resolvers of resolv.conf text that answer others than the box itself. */
function reachableResolvers(text: string): string[] {
  return [...text.matchAll(/^\s*nameserver\s+([\d.]+)\s*$/gm)].flatMap(([, address = '']) =>
    /^(127|0|169\.254)\./.test(address) ? [] : [address],
  )
}

/** The resolvers that the box itself asks, for its guests. */
export async function boxResolvers(): Promise<string[]> {
  for (const file of files) {
    const found = reachableResolvers((await readState(file)) ?? '')
    if (found.length > 0) return found.slice(0, 3)
  }
  return publicResolvers
}
