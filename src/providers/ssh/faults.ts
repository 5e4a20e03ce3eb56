import { mebibytes } from '../../lib/bytes.ts'
import { type Fault, isHousekeeping, strangerFault } from '../../lib/survey/faults.ts'
import { KitbagError } from '../../model/errors.ts'
import type { ResolvedMachineSpec } from '../../model/machine.ts'
import type { CreateMachineRequest } from '../contract.ts'
import type { OwnedMachine } from './owned.ts'
import type { Survey } from './survey.ts'

/** Kernel and firmware keep some memory for themselves: a machine sold as 1 GiB says 0.94 or so. */
const memoryShare = 0.9

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

/** Why a component's machine cannot be this one. */
export function misfits(
  machine: OwnedMachine,
  found: Survey,
  { spec, ports }: { spec: ResolvedMachineSpec; ports: NonNullable<CreateMachineRequest['ports']> },
): Fault[] {
  const { requirements, region, zone, labels = {} } = spec
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
  for (const [label, value] of Object.entries(labels)) {
    const has = machine.labels[label]
    if (has !== value)
      add(
        'label',
        `has ${has === undefined ? 'no label' : `the label ${label}=${has}`}, and ${label}=${value} is asked for`,
      )
  }
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
