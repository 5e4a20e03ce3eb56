import { placeOf, type ResolvedComponent } from '../model/blueprint.ts'
import type { MachineRecord } from '../model/machine.ts'
import type { Reason } from '../model/plan.ts'
import { cloudIdOf } from './cloud-of.ts'
import type { PlanInput } from './plan-input.ts'

/** Why a machine cannot serve as what the component asks for; empty: it can. */
export function mismatches(input: PlanInput, component: ResolvedComponent, machine: MachineRecord): Reason[] {
  const place = placeOf(component)
  const has = machine.spec.requirements
  const reasons: Reason[] = []
  if (machine.hostId !== undefined) reasons.push({ message: `${component.name} has machines of its own now` })
  if (machine.status === 'failed') reasons.push({ message: 'it failed' })
  if (machine.status === 'lost') reasons.push({ message: 'it is lost' })
  if (machine.status === 'destroying') reasons.push({ message: 'its removal was begun' })
  for (const field of ['image', 'cpu', 'memory', 'disk', 'floatingAddress'] as const) {
    const wanted = component.machine[field]
    if ((has[field] ?? null) === (wanted ?? null)) continue
    if (machine.imported && suffices(has[field], wanted)) continue
    const [before, after] = [String(has[field] ?? 'default'), String(component.machine[field] ?? 'default')]
    reasons.push({ message: `${field} of ${component.name} changed`, path: `${place}.machine.${field}`, before, after })
  }
  const [had, wants] = [wantsStaticAddress(component, has), wantsStaticAddress(component)]
  if (had !== wants)
    reasons.push({
      message: `staticAddress of ${component.name} changed`,
      path: `${place}.machine.staticAddress`,
      before: String(had),
      after: String(wants),
    })
  if (machine.cloudId !== cloudIdOf(input, component))
    reasons.push({ message: 'it is on another cloud', path: `${place}.placement` })
  const { region, zones, labels = {} } = component.placement
  if (region !== undefined && machine.spec.region !== region)
    reasons.push({ message: 'it is in another region', path: `${place}.placement.region` })
  if (zones && machine.spec.zone !== undefined && !zones.includes(machine.spec.zone)) {
    reasons.push({ message: 'it is in another zone', path: `${place}.placement.zones` })
  }
  if (Object.entries(labels).some(([label, value]) => machine.spec.labels?.[label] !== value))
    reasons.push({ message: 'it may not have the labels', path: `${place}.placement.labels` })
  return reasons
}

/** Firmware and file systems keep some for themselves: a machine sold as 1 GiB says 0.94 or so. */
const leastShare = 0.9

/** What somebody else made may be larger than what is asked for. */
export function suffices(has: number | string | undefined, wanted: number | string | undefined): boolean {
  if (wanted === undefined) return true
  return typeof has === 'number' && typeof wanted === 'number' && has >= wanted * leastShare
}

/** Whether a component's machines are to have addresses that outlive them; `asked`: by what one of them was made for. */
export function wantsStaticAddress({ entrance, machine }: ResolvedComponent, asked = machine): boolean {
  return asked.staticAddress ?? entrance ?? false
}
