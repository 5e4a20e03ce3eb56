/** One thing that was looked at: a permission, a tool, a quota, a state. */
export interface Finding {
  name: string
  /** false: nothing works as long as it is so. */
  ok: boolean
  /** For people: what was found, and what to do about it. */
  detail: string
}
