import type { MachineAccess } from '../../model/machine.ts'

/** Something to go wrong, as often as `times` says. */
export interface FakeFault {
  /**
   * - `fail`: a resource fails, with `output`
   * - `cut`: the connection goes at a resource, without an end line
   * - `unreachable`: every call to the machine fails
   * - `drift`: a check finds a resource changed
   * - `unhealthy`: HTTP requests are answered by 503
   */
  kind: 'fail' | 'cut' | 'unreachable' | 'drift' | 'unhealthy'
  /** Machine's name; absent: every machine. */
  machine?: string
  /** Resource, as events name it; absent: the first of each program. */
  resource?: string
  output?: string
  /** Default: always. Counted down. */
  times?: number
}

/** Whether a fault of that kind strikes now; counts it down. */
export function strike(
  faults: FakeFault[],
  kind: FakeFault['kind'],
  { name }: MachineAccess,
  resource?: { resource: string; index: number },
): FakeFault | undefined {
  const fault = faults.find(
    (one) =>
      one.kind === kind &&
      one.times !== 0 &&
      (one.machine === undefined || one.machine === name) &&
      (!resource || (one.resource === undefined ? resource.index === 0 : one.resource === resource.resource)),
  )
  if (fault?.times !== undefined) fault.times--
  return fault
}
