import { mebibytes } from '../../lib/bytes.ts'
import { type Fault, machineFaults, strangerFault, strangers } from '../../lib/survey/faults.ts'
import type { Finding } from '../../model/finding.ts'
import type { CloudParts, Look } from './cloud.ts'
import { claimFault, reachFault } from './faults.ts'
import { images } from './images.ts'
import type { OwnedMachine } from './owned.ts'
import type { Survey } from './survey.ts'

/** The login key's line, and for each machine what would not work there, or what it is. */
export function findings({ ssh, installation, looks }: CloudParts & { looks: Look[] }): Finding[] {
  const key = { name: 'login key', ok: true, detail: `in authorized_keys of each machine's login: ${ssh.publicKey}` }
  if (looks.length === 0) return [key, { name: 'machines', ok: false, detail: 'none is listed in the settings' }]
  return [key, ...looks.flatMap((look) => findingsOf(look, installation))]
}

function findingsOf(look: Look, installation: string): Finding[] {
  const { machine } = look
  if (!('found' in look)) return [toFinding(machine, reachFault(look.error, machine))]
  const { found } = look
  const faults = machineFaults({ ...machine, images }, found)
  const claimed = claimFault(found, machine, installation)
  if (!claimed) faults.push(...strangers(found, machine).map((one) => strangerFault(one, machine)))
  else if (found.claim?.installation !== installation) faults.push(claimed)
  if (faults.length > 0) return faults.map((fault) => toFinding(machine, fault))
  return [{ name: machine.name, ok: true, detail: `${claimed?.detail ?? 'is free'}: ${describe(machine, found)}` }]
}

function toFinding({ name }: OwnedMachine, { what, detail, fix }: Fault): Finding {
  const sentence = detail.startsWith(name) ? detail : `${name} ${detail}`
  return { name: `${name}: ${what}`, ok: false, detail: `${sentence}. ${fix}` }
}

function describe({ cpu, memory }: OwnedMachine, found: Survey): string {
  const size = `${cpu ?? found.cpu ?? '?'} cpu, ${mebibytes(memory ?? found.memory ?? 0)} MiB`
  return `${found.image}, ${size}, ${mebibytes(found.free ?? 0)} MiB free on disk`
}
