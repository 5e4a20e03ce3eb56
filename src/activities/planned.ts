import type { ErrorRecord } from '../model/errors.ts'
import type { Plan, UnitSkeleton } from '../model/plan.ts'

/** What an operation's workflow does next. */
export interface Planned {
  /** `units`: run these. `over`: the row has ended, nothing is left to do. `undo-*`: it failed or was cancelled before this run began. */
  next: 'units' | 'succeeded' | 'over' | 'undo-failed' | 'undo-cancelled'
  units: UnitSkeleton[]
}

export interface PlannedUndo {
  next: 'units' | 'nothing'
  units: UnitSkeleton[]
  /** Why there is no plan back. */
  problems: ErrorRecord[]
}

/** The plan's shape without its content and without what is behind us. */
export function skeletonOf(plan: Plan, behind: Set<string>): UnitSkeleton[] {
  return plan.units
    .filter(({ id }) => !behind.has(id))
    .map(({ id, kind, needs, wait }) => ({
      id,
      kind,
      needs: needs.filter((need) => !behind.has(need)),
      ...(wait !== undefined && { wait }),
    }))
}
