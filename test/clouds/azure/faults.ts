/** One way to go wrong. The first rule that hits a request decides. */
export interface Fault {
  method?: string
  /** Part of the path, without case. */
  path?: string
  /**
   * `lost-answer`: takes effect, then the connection is cut; `no-answer`: takes effect, and the connection stays open; `refused`: no
   * effect, the connection is cut; `throttled`: 429 with Retry-After; `unavailable`: 503; `not-yet`: 404, as of what has not reached
   * every place; `html`, `truncated`, `redirect`: no effect, an answer that is none.
   */
  effect:
    | 'lost-answer'
    | 'no-answer'
    | 'refused'
    | 'throttled'
    | 'unavailable'
    | 'html'
    | 'truncated'
    | 'redirect'
    | 'not-yet'
  /** Share of the requests that it hits. Default 1. */
  rate?: number
  /** Lets so many requests pass first. */
  after?: number
  /** Hits at most so often. Default: no end. */
  times?: number
}

/** What a test makes go wrong; it may be changed at any time. */
export interface Faults {
  requests: Fault[]
  /** Zones in which no machine finds room: `''` is a machine without a zone. */
  fullZones: string[]
  /** Sizes of which there is no room in any zone. */
  fullSizes: string[]
  /** No room for spot machines anywhere. */
  noSpot: boolean
  /** Machines whose names contain this never get past starting. */
  neverBoots?: string
  /** So many machines may still be asked for; then every token is refused. */
  machinesUntilExpiry?: number
}

export function noFaults(): Faults {
  return { requests: [], fullZones: [], fullSizes: [], noSpot: false }
}

/** Whether it is over with those that it lets pass; counts them. */
function passes(fault: Fault): boolean {
  if (!fault.after) return true
  fault.after--
  return false
}

/** The fault that hits this request, if any; counts it. */
export function hit(faults: Faults, method: string, path: string): Fault | undefined {
  const fault = faults.requests.find(
    (one) =>
      (one.method === undefined || one.method === method) &&
      (one.path === undefined || path.toLowerCase().includes(one.path.toLowerCase())) &&
      (one.times === undefined || one.times > 0) &&
      passes(one) &&
      Math.random() < (one.rate ?? 1),
  )
  if (fault?.times !== undefined) fault.times--
  return fault
}

export function takesEffect({ effect }: Fault): boolean {
  return effect === 'lost-answer' || effect === 'no-answer'
}
