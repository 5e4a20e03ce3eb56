import { KitbagError } from '../../model/errors.ts'
import type { MachineRequirements, ResolvedMachineSpec } from '../../model/machine.ts'
import type { CreateMachineRequest } from '../contract.ts'
import { images } from './images.ts'
import type { OwnedMachine } from './owned.ts'
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

/** Kernel and firmware keep some memory for themselves: a machine sold as 1 GiB says 0.94 or so. */
const memoryShare = 0.9

/** What would not work there for whatever component. */
export function machineFaults({ machine, found, now }: { machine: OwnedMachine; found: Survey; now?: Date }): Fault[] {
  const { name, user } = machine
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
      `has its clock ${Math.round(Math.abs(found.skew) / 1000)} s ${found.skew > 0 ? 'ahead' : 'behind'} at ${(now ?? new Date()).toISOString()}`,
      `Set it, as ${user} on ${name}: sudo timedatectl set-ntp true`,
    )
  return faults
}

/** Whose it is, as far as it is not free. */
export function claimFault(found: Survey, { name }: OwnedMachine, installation: string): Fault | undefined {
  const { claim, unknownClaim } = found
  const forced = `If nobody uses it any more, remove /etc/kitbag/claim.json on ${name}.`
  if (unknownClaim) return { what: 'mark', detail: 'carries a mark that cannot be read', fix: forced }
  if (!claim) return undefined
  if (claim.installation !== installation) {
    const detail = `belongs to another installation of Kitbag (${claim.installation}, its machine ${claim.name})`
    return { what: 'mark', detail, fix: forced }
  }
  const detail = `belongs to deployment ${claim.deployment} as ${claim.name}`
  return { what: 'mark', detail, fix: 'If that deployment is gone: kitbag sweep --remove gives it back.' }
}

/** Ports beyond SSH that somebody outside can talk to, on a machine that nobody has claimed. */
export function strangers({ listeners }: Survey, { port }: OwnedMachine): Listener[] {
  const seen = new Set<string>()
  return listeners.filter((one) => {
    const name = `${one.protocol} ${one.port}`
    const strange = !isLoopback(one.address) && !isHousekeeping(one) && one.port !== port && one.program !== 'sshd'
    return strange && !seen.has(name) && seen.add(name)
  })
}

export function strangerFault({ protocol, port, program }: Listener, { name }: OwnedMachine): Fault {
  const who = program || 'something'
  return {
    what: `port ${port}`,
    detail: `${who} listens on port ${port} (${protocol}); a component that wants it cannot go there`,
    fix: `Stop it on ${name}: sudo systemctl disable --now ${program || 'its service'}`,
  }
}

/** Why a component's machine cannot be this one. */
export function misfits(
  machine: OwnedMachine,
  found: Survey,
  { spec, ports }: { spec: ResolvedMachineSpec; ports: NonNullable<CreateMachineRequest['ports']> },
): Fault[] {
  const { requirements, region, zone } = spec
  const faults: Fault[] = []
  const add = (what: string, detail: string) =>
    faults.push({ what, detail, fix: `Ask for less, or list a machine that has it.` })
  const { cpu = found.cpu ?? 0, memory = (found.memory ?? 0) / memoryShare } = machine
  if (cpu < requirements.cpu) add('cpu', `has ${cpu} cpu, and ${requirements.cpu} are asked for`)
  if (memory < requirements.memory)
    add('memory', `has ${mebibytes(memory)} MiB of memory, and ${mebibytes(requirements.memory)} are asked for`)
  if (requirements.disk !== undefined && (found.free ?? 0) < requirements.disk)
    add(
      'disk',
      `has ${mebibytes(found.free ?? 0)} MiB free, and a disk of ${mebibytes(requirements.disk)} is asked for`,
    )
  if (found.image !== requirements.image)
    add('image', `runs ${found.image ?? found.os}, and ${requirements.image} is asked for`)
  if (region !== undefined && machine.region !== region)
    add('region', `is in ${machine.region ?? 'no region'}, and ${region} is asked for`)
  if (zone !== undefined && machine.zone !== zone)
    add('zone', `is in ${machine.zone ?? 'no zone'}, and ${zone} is asked for`)
  const taken = found.listeners.find(
    (one) => ports.some(({ protocol, port }) => protocol === one.protocol && port === one.port) && !isHousekeeping(one),
  )
  if (taken) faults.push(strangerFault(taken, machine))
  return faults
}

/** What is not even a survey: off, another key, no login, no sudo. */
export function reachFault(error: unknown, { name }: OwnedMachine): Fault {
  if (!(error instanceof KitbagError)) throw error
  const what = { 'machine-unreachable': 'ssh', 'host-key-mismatch': 'host key' }[error.code as string] ?? 'sudo'
  const fix = error.fix ?? `Start ${name}, and let this box reach its SSH port.`
  return { what, detail: error.message, fix }
}

/** Sized as asked, for the plan. */
export function sizeWord({ cpu, memory }: MachineRequirements): string {
  return `${cpu}cpu-${mebibytes(memory)}MiB`
}

export function mebibytes(bytes: number): number {
  return Math.round(bytes / 1024 ** 2)
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1'
}

/** The stub resolver, DHCP, clock synchronization, names in the local network: parts of a plain system. */
function isHousekeeping({ address, port, protocol }: Listener): boolean {
  if (address === '127.0.0.53' || address === '127.0.0.54') return true
  return port === 5355 || (protocol === 'udp' && [68, 123, 323, 546, 5353].includes(port))
}
