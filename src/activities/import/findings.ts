import type { CloudRecord, DeploymentRecord, Store } from '../../db/store.ts'
import { mebibytes } from '../../lib/bytes.ts'
import { sizeWord } from '../../lib/machine-sizes.ts'
import { nearest } from '../../lib/nearest.ts'
import { isHousekeeping } from '../../lib/survey/faults.ts'
import type { Survey } from '../../lib/survey/survey.ts'
import type { ResolvedComponent } from '../../model/blueprint.ts'
import { KitbagError } from '../../model/errors.ts'
import type { ImportFinding } from '../../model/imported-machine.ts'
import type { ResolvedMachineSpec } from '../../model/machine.ts'
import { expand } from '../../planner/expand.ts'
import { suffices } from '../../planner/fitness.ts'
import type { FoundMachine } from '../../providers/contract.ts'
import type { ToolkitRegistry } from '../../toolkit/contract.ts'

export function hasFailed(findings: ImportFinding[]): boolean {
  return findings.some(({ ok }) => !ok)
}

/**
 * What the component asks for, by the newest release; undefined: there is none yet. Throws `not-found` for a component that it does not
 * have, `conflict` for one that goes to another cloud.
 */
export async function wantedOf(
  { store, toolkit }: { store: Pick<Store, 'releases'>; toolkit: ToolkitRegistry },
  name: string,
  deployment: DeploymentRecord | undefined,
  cloud: CloudRecord,
): Promise<ResolvedComponent | undefined> {
  const release = deployment && (await store.releases.latest(deployment.id))
  if (!deployment || !release) return undefined
  const { components } = expand(release.spec, toolkit, {})
  const found = components.find((component) => component.name === name)
  if (!found) {
    const known = components.map((component) => component.name)
    const near = nearest(name, known)
    throw new KitbagError('not-found', `${deployment.name} has no component ${name}; it has: ${known.join(', ')}`, {
      ...(near && { fix: `Did you mean ${near}?` }),
    })
  }
  const { with: host } = found.placement
  if (host !== undefined)
    throw new KitbagError('not-supported', `${name} shares the machines of ${host}: import one for ${host}`)
  const goesTo = found.placement.cloud ?? deployment.cloud
  if (goesTo !== cloud.name)
    throw new KitbagError('conflict', `machines of ${name} are on cloud ${goesTo}, and this one is on ${cloud.name}`)
  return found
}

/** What it is, with what it has as its requirements. */
export function specOf({ size, image, region, zone }: FoundMachine, seen: Survey): ResolvedMachineSpec {
  const { cpu = 0, memory = 0, disk, image: word = '' } = seen
  return {
    size: size ?? sizeWord({ cpu, memory }),
    image: image ?? word,
    ...(region !== undefined && { region }),
    ...(zone !== undefined && { zone }),
    requirements: { cpu, memory, image: word, ...(disk !== undefined && { disk }) },
  }
}

/** Why it cannot be the component's. */
export function misfits(
  wanted: ResolvedComponent | undefined,
  { region, zone, requirements: has }: ResolvedMachineSpec,
): ImportFinding[] {
  if (!wanted) return []
  const { machine: asks, placement } = wanted
  const found: ImportFinding[] = []
  const check = (name: string, ok: boolean, detail: string) => found.push({ name, ok, detail })
  check('image', has.image === asks.image, `runs ${has.image}, and ${asks.image} is asked for`)
  check('cpu', suffices(has.cpu, asks.cpu), `has ${has.cpu} cpu, and ${asks.cpu} are asked for`)
  const memory = `has ${mebibytes(has.memory)} MiB of memory, and ${mebibytes(asks.memory)} are asked for`
  check('memory', suffices(has.memory, asks.memory), memory)
  if (asks.disk !== undefined) {
    const disk = `has a disk of ${mebibytes(has.disk ?? 0)} MiB, and ${mebibytes(asks.disk)} are asked for`
    check('disk', suffices(has.disk, asks.disk), disk)
  }
  if (placement.region !== undefined)
    check('region', region === placement.region, `is in ${region ?? 'no region'}, and ${placement.region} is asked for`)
  if (placement.zones && zone !== undefined)
    check(
      'zone',
      placement.zones.includes(zone),
      `is in ${zone}, and one of ${placement.zones.join(', ')} is asked for`,
    )
  if (asks.staticAddress)
    check('address', false, `${wanted.name} asks for a static address, which only machines get that Kitbag made`)
  if (asks.floatingAddress !== undefined)
    check('address', false, `${wanted.name} shares a floating address, which only machines have that Kitbag made`)
  return found
}

/** What has the component's port now: most likely what it is to take over from. No reason to refuse. */
export function listening(wanted: ResolvedComponent | undefined, { listeners }: Survey): ImportFinding[] {
  const taken = listeners.find((one) => one.port === wanted?.port && !isHousekeeping(one))
  if (!taken) return []
  const detail = `${taken.program || 'something'} listens on port ${taken.port}: it has to go before ${wanted?.name} can start there`
  return [{ name: `port ${taken.port}`, ok: true, detail }]
}
