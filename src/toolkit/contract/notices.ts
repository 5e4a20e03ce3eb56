import type { JsonObject } from '../../model/json.ts'
import type { WatchLevel } from '../../model/watch.ts'
import type { ControlContext } from './control.ts'

/** What a watching service found that people have to know of, for as long as it lasts. */
export interface Concern {
  /** Short and stable: `healing-failed`. */
  name: string
  level: Exclude<WatchLevel, 'info'>
  /** What it is about, such as `component`, `machine`, `certificate`; together with the name it tells one from another. */
  labels: Record<string, string>
  /** One sentence for people. */
  message: string
}

/** A concern on its way to people. */
export interface Notice extends Concern {
  /** Which service found it. */
  service: string
  /** When it was found, in milliseconds since 1970; a new watcher counts anew. */
  since: number
  /** `false`: it is over. */
  lasts: boolean
}

/** Of a service that watches: what lasts of what its looks found, from the state that they keep. Pure. */
export type Concerns<Spec> = (state: JsonObject, spec: Spec) => Concern[]

/** How a service tells people what others found. */
export interface ToolkitNotices<Spec = unknown> {
  /**
   * Tells of what lasts and of what is over. What lasts is told again every minute; what is not told any more (nobody watches) ends by
   * itself some minutes later. Rejects when nobody takes it.
   */
  tell(context: ControlContext<Spec>, notices: Notice[]): Promise<void>
}
