import { bounded } from './bounds.ts'
import { type Recommendation, recommended } from './recommend.ts'
import { figuresOf, type Policy } from './schema.ts'

/** A figure as it is known. `value` is that of all machines together where they share it, see `metrics`. */
export interface Reading {
  value?: number
  /** Milliseconds since 1970. */
  at?: number
  /** Why there is no value. */
  problem?: string
}

export type Readings = Record<string, Reading>

/** How a component and its deployment stand. */
export interface Situation {
  /** Milliseconds since 1970. */
  now: number
  /** Machines that the component has. */
  size: number
  paused: boolean
  readings: Readings
  /** Machines of the deployment that are not the component's. */
  others: number
  /** Machines that others share with it, so that it has no fewer; absent: none. */
  carried?: number
  /** Of a month: each of its machines, and all others together; or why that is not known. */
  costs: { each: number; others: number } | { unknown: string }
}

/** What is kept from decision to decision. */
export interface History {
  /** Sizes that were wanted, newest last; only those that may still count. */
  wanted: { at: number; size: number }[]
  /** When machines were last added and removed; null: never. */
  out: number | null
  in: number | null
}

export const freshHistory: History = { wanted: [], out: null, in: null }

export interface Decision {
  size: number
  /** Short and stable: another reason is another word. */
  reason: string
  /** For people. */
  message: string
  /** A person has to look. */
  alert: boolean
  /** Each metric's figure for one machine, and the size that it asks for. */
  inputs: Record<string, { value: number | null; wants: number | null; problem?: string }>
  history: History
}

/** Which size a component shall have now, and why. Pure: the same always gives the same. */
export function decide(policy: Policy, situation: Situation, before: History): Decision {
  const { now, size } = situation
  const bounds = bounded(policy, situation)
  const warming = before.out === null ? 0 : before.out + policy.warmUp - now
  const figures = recommended(policy, situation, { warming: warming > 0 })
  // Where nothing but the time of day counts, the least that it allows is wanted.
  const recommendation = figuresOf(policy).length === 0 ? { ...figures, wants: bounds.min } : figures
  const { inputs } = recommendation
  const history = remember(policy, situation, before, recommendation)
  const result = (to: number, reason: string, message: string, alert = false): Decision => ({
    size: to,
    reason,
    message,
    alert,
    inputs,
    history: to === size ? history : { ...history, ...(to > size ? { out: now } : { in: now }) },
  })
  const hold = (reason: string, message: string, alert = false) => result(size, reason, message, alert)

  if (situation.paused) return hold('paused', `${size} machines: it is paused`)
  if (size < bounds.min) {
    const to = Math.min(bounds.min, Math.max(size, bounds.ceiling))
    if (to === size) return hold('capped', `${size} machines, and min is ${bounds.min}: ${bounds.why}`, true)
    return result(to, 'below-min', `${size} -> ${to} machines: min is ${bounds.min}`)
  }
  if (size > bounds.max)
    return result(bounds.max, 'above-max', `${size} -> ${bounds.max} machines: max is ${bounds.max}`)

  const { wants, because, problem } = recommendation
  const blind = problem !== undefined
  if (wants !== undefined && wants > size) return grow(wants)
  if (blind) return hold('no-figures', `${size} machines are held: ${problem}`, true)
  if (wants !== undefined && wants < size) return shrink(wants)
  return hold('steady', `${size} machines: ${because}`)

  function grow(wanted: number): Decision {
    const limit = policy.steppingAtMost.out ?? Number.POSITIVE_INFINITY
    const to = Math.min(wanted, bounds.max, Math.max(size, bounds.ceiling), size + limit)
    if (to <= size) {
      const capped = bounds.ceiling < bounds.max && size >= bounds.ceiling
      if (capped) return hold('capped', `${size} machines, ${wanted} are wanted (${because}): ${bounds.why}`, true)
      return hold('at-max', `${size} machines, ${wanted} are wanted (${because}): max is ${bounds.max}`, true)
    }
    const wait = waitFor(policy.cooldown.out)
    if (wait > 0)
      return hold('cooldown', `${size} machines, ${to} are wanted (${because}): cooldown for ${seconds(wait)}`)
    return result(to, 'out', `${size} -> ${to} machines: ${because}`)
  }

  function shrink(wanted: number): Decision {
    const stable = Math.max(wanted, ...history.wanted.map((one) => one.size))
    const limit = policy.steppingAtMost.in ?? Number.POSITIVE_INFINITY
    const to = Math.max(stable, bounds.min, size - limit)
    const fewer = `${size} machines, ${Math.max(wanted, bounds.min)} would do (${because})`
    if (Math.max(wanted, bounds.min) >= size) return hold('at-min', `${size} machines: min is ${bounds.min}`)
    if (to >= size)
      return hold('stabilising', `${fewer}: more were wanted within the last ${seconds(policy.stabilisation)}`)
    if (warming > 0) return hold('warm-up', `${fewer}: new ones are warming up for ${seconds(warming)}`)
    const wait = waitFor(policy.cooldown.in)
    if (wait > 0) return hold('cooldown', `${fewer}: cooldown for ${seconds(wait)}`)
    return result(to, 'in', `${size} -> ${to} machines: ${because}`)
  }

  /** Milliseconds until the last change is long enough ago. */
  function waitFor(cooldown: number): number {
    const last = Math.max(before.out ?? Number.NEGATIVE_INFINITY, before.in ?? Number.NEGATIVE_INFINITY)
    return last + cooldown - now
  }
}

/** Adds what is wanted now; what is older than the window, or less than what came after it, counts no more. */
function remember(
  { stabilisation }: Policy,
  { now, size }: Situation,
  { wanted, out, in: into }: History,
  recommendation: Recommendation,
): History {
  // Nothing is known of the time before, so that the size was right then.
  const before = wanted.length === 0 ? [{ at: now, size }] : wanted
  const known = before.filter(({ at }) => at > now - stabilisation)
  const wants = recommendation.wants ?? size
  return { wanted: [...known.filter((one) => one.size > wants), { at: now, size: wants }], out, in: into }
}

function seconds(ms: number): string {
  return `${Math.ceil(ms / 1000)} s`
}
