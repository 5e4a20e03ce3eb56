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
 * The cheapest type that has what is asked for; among equally cheap ones the one with more cpu, then more memory, then by name, so
 * that the same question always has the same answer. undefined: none is big enough.
 */
export function cheapestSize(
  sizes: MachineSize[],
  wanted: { cpu: number; memory: number; architecture: MachineSize['architecture'] },
): MachineSize | undefined {
  return sizes
    .filter(
      ({ cpu, memory, architecture }) =>
        cpu >= wanted.cpu && memory >= wanted.memory && architecture === wanted.architecture,
    )
    .sort((a, b) => a.hourly - b.hourly || b.cpu - a.cpu || b.memory - a.memory || a.id.localeCompare(b.id))[0]
}
