import { mebibytes } from './bytes.ts'

/** A machine type of a cloud. */
export interface MachineSize {
  /** The cloud's own id. */
  id: string
  /** Virtual CPUs. */
  cpu: number
  /** Bytes. */
  memory: number
  architecture: 'amd64' | 'arm64'
  /** Of one hour on demand, in the table's currency. */
  hourly: number
}

/**
 * Cheapest first; among equally cheap ones the one with more cpu, then more memory, then by name, so that the same question always has
 * the same answer.
 */
export function byPrice(a: MachineSize, b: MachineSize): number {
  const order = a.hourly === b.hourly ? 0 : a.hourly - b.hourly
  return order || b.cpu - a.cpu || b.memory - a.memory || a.id.localeCompare(b.id)
}

/** Other sizes that are tried where there is no room for the one that was chosen: dearer and dearer ones. */
export const mostOtherSizes = 3

/** Where clouds have no sizes of their own: what was asked for, as a word for people. */
export function sizeWord({ cpu, memory }: { cpu: number; memory: number }): string {
  return `${cpu}cpu-${mebibytes(memory)}MiB`
}
