import type { z } from 'zod'
import type { Path } from './path.ts'

export interface Salvaged<T> {
  issues: z.core.$ZodIssue[]
  /** What is right of the value; absent when too little of it is. */
  data?: T
  /** A path into `data` as a path into the value: entries of lists may have been left out. */
  origin(path: Path): Path
}

/** Rounds of leaving out: each goes one level up where leaving out was not enough. */
const maxRounds = 6

/**
 * Parses a value, and once more without what is wrong in it: so that one wrong field does not hide what else there is to say. Nothing that is
 * made from a salvaged value may be used for more than that: there is at least one problem.
 */
export function salvage<T>(schema: z.ZodType<T>, value: unknown): Salvaged<T> {
  const kept = new WeakMap<object, number[]>()
  const origin = (start: unknown) => (path: Path) => {
    let inner = start
    return path.map((key) => {
      const real = typeof key === 'number' && Array.isArray(inner) ? (kept.get(inner)?.[key] ?? key) : key
      inner = (inner as Record<string | number, unknown> | undefined)?.[key]
      return real
    })
  }
  let current = value
  let issues: z.core.$ZodIssue[] = []
  for (let round = 0; round < maxRounds; round++) {
    const parsed = schema.safeParse(current)
    if (parsed.success) return { issues, data: parsed.data, origin: origin(current) }
    if (round === 0) issues = parsed.error.issues
    const wrong = parsed.error.issues.flatMap(pathsOf).map((path) => existing(current, path))
    if (wrong.some((path) => path.length === 0)) break
    current = without(current, wrong, kept)
  }
  return { issues, origin: origin(value) }
}

function pathsOf(issue: z.core.$ZodIssue): Path[] {
  const path = issue.path as Path
  return issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path]
}

/** The path itself, or of its parents the nearest that is there: what lacks something is left out itself. */
function existing(value: unknown, path: Path): Path {
  let inner = value
  for (const [i, key] of path.entries()) {
    if (typeof inner !== 'object' || inner === null || !Object.hasOwn(inner, key)) return path.slice(0, i)
    inner = (inner as Record<string | number, unknown>)[key]
  }
  return path
}

function without(value: unknown, paths: Path[], kept: WeakMap<object, number[]>): unknown {
  if (paths.length === 0 || typeof value !== 'object' || value === null) return value
  const below = (key: string | number) => paths.filter(([first]) => first === key).map(([, ...rest]) => rest)
  const goes = (key: string | number) => below(key).some((rest) => rest.length === 0)
  if (!Array.isArray(value)) {
    const entries = Object.entries(value).filter(([key]) => !goes(key))
    return Object.fromEntries(entries.map(([key, member]) => [key, without(member, below(key), kept)]))
  }
  const before = kept.get(value) ?? value.map((_, i) => i)
  const stay = value.map((_, i) => i).filter((i) => !goes(i))
  const list = stay.map((i) => without(value[i], below(i), kept))
  kept.set(
    list,
    stay.map((i) => before[i] ?? i),
  )
  return list
}
