import type { Cleanup } from './cleanup.ts'
import type { Plane } from './plane.ts'
import type { Measured, RowSpec } from './row.ts'

/** What a family of rows works with. */
export interface Bench {
  /** Undone when the family is through, also after a failure and when interrupted. */
  cleanup: Cleanup
  /** Aborted by SIGINT and SIGTERM: begin nothing more. */
  signal: AbortSignal
  /** The control plane that families share, with a cloud `home` of local machines; started at its first use. */
  plane(): Promise<Plane>
  /** Ends the shared one, where another one is about to be measured. */
  endPlane(): Promise<void>
}

/** Rows that are measured together. */
export interface Family {
  name: string
  rows: RowSpec[]
  /** What each of its rows came to, in their order. */
  run(bench: Bench): Promise<Measured[]>
}
