import type { Decision, Reading, Situation } from './decide.ts'
import { type Figure, figureOf, figuresOf, type Policy, targetsOf } from './schema.ts'

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
  const known = new Map<string, number>()
  const problems: string[] = []
  const figures = figuresOf(policy)
  for (const figure of figures) {
    const { name } = figure
    const reading = situation.readings[name] ?? { problem: 'nobody answers for it' }
    const problem = problemOf(policy, reading, situation.now)
    if (problem === undefined) known.set(name, reading.value ?? 0)
    else problems.push(`${name}: ${problem}`)
    const value = problem === undefined ? perMachine(figure, reading.value ?? 0, size) : null
    inputs[name] = { value, wants: null, ...(problem !== undefined && { problem }) }
  }
  const asked: { wants: number; because: string }[] = []
  for (const target of targetsOf(policy)) {
    const figure = figureOf(target)
    const value = known.get(figure.name)
    if (value === undefined) continue
    const wants = later(figure, wantedFor(figure, value, target.value, size))
    note(inputs[figure.name], wants)
    const found = rounded(perMachine(figure, value, size))
    asked.push({ wants, because: `${figure.name} is ${found}, its target ${target.value}` })
  }
  for (const { above, below, change, ...step } of policy.steps) {
    const figure = figureOf(step)
    const value = known.get(figure.name)
    if (value === undefined) continue
    const found = perMachine(figure, value, size)
    const isOn = above === undefined ? found < (below ?? 0) : found > above
    if (!isOn) continue
    const wants = later(figure, Math.max(0, size + change))
    note(inputs[figure.name], wants)
    const bound = above === undefined ? `below ${below}` : `above ${above}`
    asked.push({ wants, because: `${figure.name} is ${rounded(found)}, ${bound}` })
  }
  const [most] = asked.sort((a, b) => b.wants - a.wants)
  return {
    ...(most && { wants: most.wants }),
    because: most?.because ?? (figures.length === 0 ? 'no figure is asked for' : 'no step applies'),
    ...(problems.length > 0 && { problem: problems.join('; ') }),
    inputs,
  }

  /** New machines may bring a level down by themselves: it asks for no more before they are of full use. */
  function later({ kind }: Figure, wants: number): number {
    return warming && kind === 'level' ? Math.min(size, wants) : wants
  }
}

function note(input: Decision['inputs'][string] | undefined, wants: number): void {
  if (input) input.wants = Math.max(input.wants ?? 0, wants)
}

/** What one of so many machines has of a figure. */
export function perMachine({ kind }: Figure, value: number, size: number): number {
  return kind === 'shared' ? value / Math.max(1, size) : value
}

function wantedFor(figure: Figure, value: number, target: number, size: number): number {
  const ratio = perMachine(figure, value, size) / target
  if (ratio > 1 && ratio <= 1 + tolerance) return size
  if (figure.kind === 'shared') return Math.ceil(value / target - 1e-9)
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
