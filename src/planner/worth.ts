import type { MachineRecord } from '../model/machine.ts'
import type { PlanInput } from './plan-input.ts'

const progress: MachineRecord['status'][] = ['ready', 'installed', 'created', 'creating']

/** One that was healthy before counts as serving while an update that was cut off left it in between. */
function progressOf({ status, releaseNumber }: MachineRecord): number {
  return progress.indexOf(status === 'installed' && releaseNumber !== null ? 'ready' : status)
}

/**
 * Which machines are kept when there are too many: those with another component's data on them, then those that serve before those that
 * are not done, then those that carry anything else. Then the lowest ordinals; an undo keeps the oldest (ids sort by age), because the
 * youngest are those that the failed operation made.
 */
export function byWorth({ kind, machines }: PlanInput): (a: MachineRecord, b: MachineRecord) => number {
  const age = (a: MachineRecord, b: MachineRecord) => (a.id < b.id ? -1 : 1)
  const guests = machines.filter(({ hostId }) => hostId !== undefined)
  const carrying = new Set(guests.map(({ hostId }) => hostId))
  const holding = new Set(guests.filter(({ stateful }) => stateful).map(({ hostId }) => hostId))
  const without = (set: Set<string | undefined>, { id }: MachineRecord) => (set.has(id) ? 0 : 1)
  return (a, b) =>
    without(holding, a) - without(holding, b) ||
    progressOf(a) - progressOf(b) ||
    without(carrying, a) - without(carrying, b) ||
    (kind === 'undo' ? age(a, b) : a.ordinal - b.ordinal)
}
