import { hoursPerMonth } from '../../model/cost.ts'
import { type Decision, decide, freshHistory, type Readings } from './decide.ts'
import { perMachine, tolerance } from './recommend.ts'
import type { RecordedLoad } from './recorded.ts'
import { figureOf, figuresOf, type Policy, targetsOf } from './schema.ts'

export { type RecordedLoad, readLoad, readPolicy } from './recorded.ts'
export { type Figure, figuresOf, type Policy } from './schema.ts'

export interface ReplayOptions {
  /** Machines at the beginning; default: the policy's `min`. */
  size?: number
  /** Milliseconds from a decision until a new machine serves. */
  boot: number
  /** Of a month: one machine; null: not known. */
  cost: number | null
  /** Of the same deployment: machines of other components, and what they cost in a month; null: not known. */
  others?: { machines: number; cost: number | null }
}

export interface Replay {
  sizes: { at: number; from: number; to: number; message: string }[]
  largest: number
  machineHours: number
  /** null: the cost of a machine is not known. */
  cost: number | null
  /** Seconds in which a machine that served had more to do than a target says, what counts as at it left out. */
  secondsOverTarget: number
  seconds: number
}

/** What a policy would have done over recorded load, by the same function that decides live. Pure. */
export function replay(
  policy: Policy,
  load: RecordedLoad[],
  { size: first, boot, cost, others = { machines: 0, cost: 0 } }: ReplayOptions,
): Replay {
  const sorted = [...load].sort((a, b) => a.at - b.at)
  const [begin = 0, end = 0] = [sorted[0]?.at, sorted.at(-1)?.at]
  const { interval } = policy
  const result: Replay = { sizes: [], largest: 0, machineHours: 0, cost: null, secondsOverTarget: 0, seconds: 0 }
  const spacing = spacingOf(sorted)
  const costs =
    cost === null || others.cost === null ? { unknown: 'say it with --price' } : { each: cost, others: others.cost }
  const standing = { paused: false, others: others.machines, costs }
  let size = first ?? policy.min
  let serving = size
  let servingAt = begin
  let history = freshHistory
  let next = 0
  for (let now = begin; now <= end; now += interval) {
    while (next < sorted.length && (sorted[next]?.at ?? 0) <= now) next++
    const recorded = sorted[next - 1]
    const readings = readingsOf(policy, recorded && current(recorded, now, spacing))
    if (now >= servingAt) {
      serving = size
      const decision = decide(policy, { ...standing, now, size, readings }, history)
      history = decision.history
      if (decision.size !== size) {
        result.sizes.push({ at: now, from: size, to: decision.size, message: decision.message })
        // Live, nothing is decided while the operation runs; cooldown and warm-up count from its end.
        servingAt = decision.size > size ? now + boot : now
        history = settled(history, decision, size, servingAt)
        serving = Math.min(serving, decision.size)
        size = decision.size
      }
    }
    const seconds = Math.min(interval, Math.max(0, end - now)) / 1000
    result.largest = Math.max(result.largest, size)
    result.seconds += seconds
    result.machineHours += (size * seconds) / 3600
    if (isOver(policy, readings, serving)) result.secondsOverTarget += seconds
  }
  return { ...result, cost: cost === null ? null : (result.machineHours * cost) / hoursPerMonth }
}

/** Milliseconds between two entries, mostly. */
function spacingOf(load: RecordedLoad[]): number {
  const gaps = load.slice(1).map(({ at }, i) => at - (load[i]?.at ?? at))
  return gaps.sort((a, b) => a - b)[gaps.length >> 1] ?? 0
}

/** An entry holds until the next one is due; what is missing after that grows old, as it would live. */
function current(entry: RecordedLoad, now: number, spacing: number): RecordedLoad {
  return now - entry.at < spacing * 1.5 ? { ...entry, at: now } : entry
}

function settled(history: Decision['history'], { size }: Decision, from: number, at: number): Decision['history'] {
  return size > from ? { ...history, out: at } : { ...history, in: at }
}

function readingsOf(policy: Policy, recorded: RecordedLoad | undefined): Readings {
  return Object.fromEntries(
    figuresOf(policy).map(({ name }) => {
      const value = recorded?.figures[columnOf(name)]
      const known = value !== undefined && recorded
      return [name, known ? { value, at: recorded.at } : { problem: `no column ${columnOf(name)}` }]
    }),
  )
}

/** `requests-per-second-per-machine` -> `requests-per-second`: what is recorded is of all machines together. */
export function columnOf(metric: string): string {
  return metric.replace(/-per-machine$/, '')
}

function isOver(policy: Policy, readings: Readings, serving: number): boolean {
  return targetsOf(policy).some((target) => {
    const figure = figureOf(target)
    const value = readings[figure.name]?.value
    if (value === undefined || !Number.isFinite(value)) return false
    return perMachine(figure, value, serving) > target.value * (1 + tolerance)
  })
}
