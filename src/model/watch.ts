import type { JsonObject } from './json.ts'

/** `info`: as it should be; `warn`: something is not, and is being seen to; `alert`: a person has to look. */
export type WatchLevel = 'info' | 'warn' | 'alert'

/** What a watching service saw or decided, and what from. */
export interface WatchDecision {
  level: WatchLevel
  /** One sentence for people: what, and why. */
  message: string
  /** The inputs that it was made from. */
  data: JsonObject
}

export interface WatchDecisionRecord extends WatchDecision {
  /** Later ones have higher numbers. */
  seq: number
  at: Date
}
