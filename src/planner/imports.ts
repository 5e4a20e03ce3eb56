import { KitbagError } from '../model/errors.ts'
import { type MachineRecord, machineName } from '../model/machine.ts'
import type { Change } from '../model/plan.ts'
import { keep, type PlanBody } from './changes.ts'
import type { Expanded } from './expand.ts'
import { freeOrdinals } from './fate.ts'
import { componentNamed, usersOf } from './links.ts'
import type { PlanInput } from './plan-input.ts'
import { UnitList } from './units.ts'

/** One machine is taken in under the component's next free name; nothing else changes. */
export function importPlan(input: PlanInput): PlanBody {
  const machine = input.import
  if (!machine) throw new KitbagError('internal', 'an import without a machine')
  const { component } = machine
  const ordinal = nextOrdinal(input.machines, component)
  const name = machineName(component, ordinal)
  const message = `${machine.providerId} is imported`
  const units = new UnitList()
  units.add('adopt', { component, machine: name }, message, { adopt: { ...machine, ordinal } })
  const change = { action: 'import' as const, component, machine: name, reasons: [{ message }], stateful: false }
  return { units: units.finish(), changes: [change], refusals: [] }
}

/** The name that a machine imported next gets. */
export function nextName(machines: MachineRecord[], component: string): string {
  return machineName(component, nextOrdinal(machines, component))
}

function nextOrdinal(machines: MachineRecord[], component: string): number {
  const [next = 1] = freeOrdinals(
    machines.filter((row) => row.component === component),
    1,
  )
  return next
}

/** Whoever shares a machine that is forgotten goes with it. Throws `conflict` for one that shares a machine which stays. */
export function withGuests(input: PlanInput): PlanInput {
  const { kind, machines, forget } = input
  if (kind !== 'forget' || !forget) return input
  const hosts = new Set(machines.filter(({ name }) => forget.includes(name)).map(({ id }) => id))
  const guests = machines.filter(({ hostId }) => hostId !== undefined && hosts.has(hostId)).map(({ name }) => name)
  const stays = machines.find(({ name, hostId }) => forget.includes(name) && hostId !== undefined && !hosts.has(hostId))
  if (stays) {
    const host = machines.find(({ id }) => id === stays.hostId)?.name
    throw new KitbagError('conflict', `${stays.name} has no machine of its own: it shares ${host}`, {
      fix: `Forget ${host}, and it goes with it; or take the component out of the blueprint.`,
    })
  }
  return { ...input, forget: [...new Set([...forget, ...guests])] }
}

/** Machines that are let go while nobody has to take notice: all of them, or those that never had a place. undefined: others have to. */
export function forgetPlan({ machines, forget }: PlanInput): PlanBody | undefined {
  const named = forget ? machines.filter(({ name }) => forget.includes(name)) : machines
  if (forget && named.some(({ status }) => status !== 'imported')) return undefined
  const units = new UnitList()
  const reason = 'it is to be forgotten'
  for (const { component, name } of named) units.add('forget', { component, machine: name }, reason)
  const changes = machines.map((row): Change => {
    const kept = keep(row, machines)
    return named.includes(row) ? { ...kept, action: 'forget', reasons: [{ message: reason }] } : kept
  })
  return { units: units.finish(), changes, refusals: [] }
}

/** Which machines of components that are no more go in an undo, which leaves those that wait, and when some are forgotten. */
export function goesWith({ kind, forget = [] }: PlanInput): (machine: MachineRecord) => boolean {
  return ({ name, status }) => (kind === 'forget' ? forget.includes(name) : status !== 'imported')
}

/** Throws `conflict` where an imported machine waits for a component that the release does not have: most likely its name is wrong. */
export function refuseUnplaced({ kind, release }: PlanInput, strange: MachineRecord[]): void {
  const found = strange.find(({ status }) => status === 'imported')
  if (!found || !release || kind === 'undo' || kind === 'forget') return
  throw new KitbagError(
    'conflict',
    `${found.name} was imported for ${found.component}, and the blueprint has no such component`,
    { fix: `Add the component, or let the machine go: kitbag forget NAME --machine ${found.name}` },
  )
}

/** Throws `conflict` where the application needs a component of which no machine would be left. */
export function refuseLast({ machines, forget = [] }: PlanInput, { components }: Expanded): void {
  for (const { name } of components) {
    const own = machines.filter((row) => row.component === name && row.status !== 'imported')
    if (own.length === 0 || !own.every((row) => forget.includes(row.name))) continue
    const user = usersOf(components, name).find((one) => {
      const found = componentNamed(components, one)
      return found && found.service === undefined && !found.observer
    })
    if (user === undefined) continue
    throw new KitbagError(
      'conflict',
      `${own.map((row) => row.name).join(', ')}: ${user} uses ${name}, and it would have no machine left`,
      {
        fix: 'Forget the whole deployment, or take the reference out of the blueprint first.',
      },
    )
  }
}
