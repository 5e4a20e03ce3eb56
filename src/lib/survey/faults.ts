import { mebibytes } from '../bytes.ts'
import type { Listener, Survey } from './survey.ts'

/** One thing that would not work on a machine, with the way out. */
export interface Fault {
  /** `sudo`, `disk`, ... */
  what: string
  detail: string
  fix: string
}

/** Free bytes that the packages of a component and its first data take: a database server with its tools is the largest, near 300 MiB. */
const leastFree = 512 * 1024 ** 2

/** Milliseconds that a clock may be off: certificates and logs are off with it. */
const mostSkew = 60_000

/** What is looked at, for messages, and the image words that it may be. */
export interface Surveyed {
  name: string
  user: string
  images: string[]
}

/** What would not work there for whatever component. */
export function machineFaults({ name, user, images }: Surveyed, found: Survey, now = new Date()): Fault[] {
  const faults: Fault[] = []
  const add = (what: string, detail: string, fix: string) => faults.push({ what, detail, fix })
  const os = found.os ?? 'an unknown system'
  if (found.image === undefined || !images.includes(found.image))
    add('system', `runs ${os}; Kitbag knows ${images.join(', ')}`, `Install one of ${images.join(', ')} on ${name}.`)
  if (!found.systemd || !found.apt)
    add(
      'system',
      `${found.systemd ? 'has no apt-get' : 'does not run under systemd'}`,
      `Install a plain ${images.at(-1)} on ${name}.`,
    )
  if (found.readOnly) add('disk', 'has a read-only file system', `Mount / and /var writable on ${name}.`)
  if (found.free !== undefined && found.free < leastFree)
    add(
      'disk',
      `has ${mebibytes(found.free)} MiB free, and ${mebibytes(leastFree)} are needed`,
      `Make room in / and /var of ${name}.`,
    )
  if (found.skew !== undefined && Math.abs(found.skew) > mostSkew)
    add(
      'clock',
      `has its clock ${Math.round(Math.abs(found.skew) / 1000)} s ${found.skew > 0 ? 'ahead' : 'behind'} at ${now.toISOString()}`,
      `Set it, as ${user} on ${name}: sudo timedatectl set-ntp true`,
    )
  return faults
}

/** Ports beyond SSH that somebody outside can talk to, on a machine that nobody has claimed. */
export function strangers({ listeners }: Survey, { port }: { port: number }): Listener[] {
  const seen = new Set<string>()
  return listeners.filter((one) => {
    const name = `${one.protocol} ${one.port}`
    const strange = !isLoopback(one.address) && !isHousekeeping(one) && one.port !== port && one.program !== 'sshd'
    return strange && !seen.has(name) && seen.add(name)
  })
}

/** What is said of one of them. */
export function strangerFault({ protocol, port, program }: Listener, { name }: { name: string }): Fault {
  const who = program || 'something'
  return {
    what: `port ${port}`,
    detail: `${who} listens on port ${port} (${protocol}); a component that wants it cannot go there`,
    fix: `Stop it on ${name}: sudo systemctl disable --now ${program || 'its service'}`,
  }
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1'
}

/** The stub resolver, DHCP, clock synchronization, names in the local network: parts of a plain system. */
export function isHousekeeping({ address, port, protocol }: Listener): boolean {
  if (address === '127.0.0.53' || address === '127.0.0.54') return true
  return port === 5355 || (protocol === 'udp' && [68, 123, 323, 546, 5353].includes(port))
}
