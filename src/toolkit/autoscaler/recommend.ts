import type { Decision, Reading, Situation } from './decide.ts'
import { type Metric, metrics, metricsOf, type Policy, targetsOf } from './schema.ts'

export interface Recommendation {
  /** Machines that the figures ask for, bounds aside; undefined: there are no figures. */
  wants?: number
  because: string
  /** Why a figure is missing. */
  problem?: string
  inputs: Decision['inputs']
}

/** A figure so near to its target is at it: else a size would go up and down between two that are both right. */
export const tolerance = 0.1

/** Looks that may fail before a figure counts as stale, and the least time for that. */
const staleLooks = 3
const staleLeast = 30_000

/** What targets and steps ask for: the most that one of them does. */
export function recommended(policy: Policy, situation: Situation, { warming }: { warming: boolean }): Recommendation {
  const { size } = situation
  const inputs: Decision['inputs'] = {}
  const figures = new Map<Metric, number>()
  const problems: string[] = []
  for (const metric of metricsOf(policy)) {
    const reading = situation.readings[metric] ?? { problem: 'nobody answers for it' }
    const problem = problemOf(policy, reading, situation.now)
    if (problem === undefined) figures.set(metric, reading.value ?? 0)
    else problems.push(`${metric}: ${problem}`)
    const value = problem === undefined ? perMachine(metric, reading.value ?? 0, size) : null
    inputs[metric] = { value, wants: null, ...(problem !== undefined && { problem }) }
  }
  const asked: { wants: number; because: string }[] = []
  for (const { metric, value: target } of targetsOf(policy)) {
    const figure = figures.get(metric)
    if (figure === undefined) continue
    const wants = later(metric, wantedFor(metric, figure, target, size))
    note(inputs[metric], wants)
    asked.push({ wants, because: `${metric} is ${rounded(perMachine(metric, figure, size))}, its target ${target}` })
  }
  for (const { metric, above, below, change } of policy.steps) {
    const figure = figures.get(metric)
    if (figure === undefined) continue
    const value = perMachine(metric, figure, size)
    const isOn = above === undefined ? value < (below ?? 0) : value > above
    if (!isOn) continue
    const wants = later(metric, Math.max(0, size + change))
    note(inputs[metric], wants)
    const bound = above === undefined ? `below ${below}` : `above ${above}`
    asked.push({ wants, because: `${metric} is ${rounded(value)}, ${bound}` })
  }
  /** New machines may bring a level down by themselves: it asks for no more before they are of full use. */
  function later(metric: Metric, wants: number): number {
    return warming && metrics[metric] === 'level' ? Math.min(size, wants) : wants
  }
  const [most] = asked.sort((a, b) => b.wants - a.wants)
  const known = metricsOf(policy).length === 0 ? 'no figure is asked for' : 'no step applies'
  return {
    ...(most && { wants: most.wants }),
    because: most?.because ?? known,
    ...(problems.length > 0 && { problem: problems.join('; ') }),
    inputs,
  }
}

function note(input: Decision['inputs'][string] | undefined, wants: number): void {
  if (input) input.wants = Math.max(input.wants ?? 0, wants)
}

function perMachine(metric: Metric, figure: number, size: number): number {
  return metrics[metric] === 'shared' ? figure / Math.max(1, size) : figure
}

function wantedFor(metric: Metric, figure: number, target: number, size: number): number {
  const ratio = perMachine(metric, figure, size) / target
  if (ratio > 1 && ratio <= 1 + tolerance) return size
  if (metrics[metric] === 'shared') return Math.ceil(figure / target - 1e-9)
  // How a level follows the size is not known: down it goes one by one.
  return ratio <= 1 ? (ratio < 1 - tolerance ? size - 1 : size) : Math.ceil(size * ratio - 1e-9)
}

function problemOf({ interval }: Policy, { value, at, problem }: Reading, now: number): string | undefined {
  if (problem !== undefined) return problem
  if (value === undefined) return 'nobody answers for it'
  if (!Number.isFinite(value)) return `${value} is no number`
  if (value < 0) return `${rounded(value)} is negative`
  const age = now - (at ?? now)
  if (age > Math.max(staleLeast, staleLooks * interval)) return `it is ${Math.round(age / 1000)} s old`
  if (age < -Math.max(staleLeast, interval)) return `it is ${Math.round(-age / 1000)} s ahead of the clock`
  return undefined
}

/** Three significant digits. */
function rounded(value: number): number {
  return Number(value.toPrecision(3))
}
