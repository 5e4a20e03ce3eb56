import { type Fault, machineFaults } from '../../lib/survey/faults.ts'
import { refused } from '../../lib/survey/survey.ts'
import { KitbagError } from '../../model/errors.ts'
import type { CreateMachineRequest, MachineTags } from '../contract.ts'
import { type Claim, claimCommand, claimText, parseClaim } from './claim.ts'
import type { CloudParts, Look } from './cloud.ts'
import { claimFault, misfits, reachFault } from './faults.ts'
import { images } from './images.ts'
import type { OwnedMachine } from './owned.ts'
import type { Survey } from './survey.ts'

export interface Wanted {
  request: CreateMachineRequest
  token: string
  tags: MachineTags
  looks: () => Promise<Look[]>
}

/**
 * Claims a free machine that fits: the smallest one. The machine of a token that has one already is found again. Throws
 * `capacity-exceeded` with every machine that was looked at and why it is not that one.
 */
export async function claimMachine(
  parts: CloudParts,
  { request, token, tags, looks }: Wanted,
): Promise<{ machine: OwnedMachine; claim: Claim }> {
  const isMine = (claim: Claim) => claim.token === token && claim.installation === tags.installation
  const seen = await looks()
  for (const look of seen) {
    const claim = 'found' in look ? look.found.claim : undefined
    if (claim && isMine(claim)) return { machine: look.machine, claim }
  }
  const { spec, ports = [] } = request
  const reasons: { machine: OwnedMachine; faults: Fault[] }[] = []
  const fitting: { machine: OwnedMachine; found: Survey }[] = []
  for (const look of seen) {
    const { machine } = look
    const faults = 'found' in look ? whyNot(look, parts, { spec, ports }) : [reachFault(look.error, machine)]
    if (faults.length > 0) reasons.push({ machine, faults })
    else if ('found' in look) fitting.push({ machine, found: look.found })
  }
  for (const { machine } of fitting.sort(bySize)) {
    const claim = await put(parts, machine, claimText(tags, request.name, token))
    if (isMine(claim)) return { machine, claim }
    reasons.push({ machine, faults: [{ what: 'mark', detail: `was claimed just now as ${claim.name}`, fix: '' }] })
  }
  throw noneFits(parts.name, request, reasons)
}

function whyNot(
  { machine, found }: { machine: OwnedMachine; found: Survey },
  { installation }: CloudParts,
  wanted: Parameters<typeof misfits>[2],
): Fault[] {
  const claimed = claimFault(found, machine, installation)
  return claimed ? [claimed] : [...machineFaults({ ...machine, images }, found), ...misfits(machine, found, wanted)]
}

/** So that a small component does not take the machine that a large one needs. */
function bySize(a: { machine: OwnedMachine; found: Survey }, b: { machine: OwnedMachine; found: Survey }): number {
  const [x, y] = [a, b].map(({ machine, found }) => ({
    cpu: machine.cpu ?? found.cpu ?? 0,
    memory: machine.memory ?? found.memory ?? 0,
  }))
  return (x?.memory ?? 0) - (y?.memory ?? 0) || (x?.cpu ?? 0) - (y?.cpu ?? 0)
}

/** The mark that is on the machine then: this one, or that of who came first. */
async function put({ ssh, owned }: CloudParts, machine: OwnedMachine, text: string): Promise<Claim> {
  const access = await owned.access(machine)
  const answer = await ssh.exec(access, claimCommand, { root: true, stdin: text, timeout: 30_000 })
  const claim = parseClaim(answer.stdout)
  if (!claim) throw refused(access, answer)
  return claim
}

function noneFits(
  cloud: string,
  { name, spec }: CreateMachineRequest,
  reasons: { machine: OwnedMachine; faults: Fault[] }[],
): KitbagError {
  const lines = reasons.map(({ machine, faults }) => `${machine.name} ${faults.map(({ detail }) => detail).join(', ')}`)
  const only = reasons.length === 1 ? reasons[0]?.faults[0]?.fix : undefined
  return new KitbagError(
    'capacity-exceeded',
    `cloud ${cloud}: no machine is free for ${name} (${spec.size}, ${spec.image}): ${lines.join('; ')}`,
    { machine: name, fix: only || `See each one's way out: kitbag cloud test ${cloud}` },
  )
}
