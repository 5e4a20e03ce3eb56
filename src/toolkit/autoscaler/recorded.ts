import { KitbagError, type Problem } from '../../model/errors.ts'
import { autoscalerSchema, type Policy, policyProblems } from './schema.ts'

/** Recorded figures of one moment; those that machines share are of all together. */
export interface RecordedLoad {
  /** Milliseconds since 1970. */
  at: number
  figures: Record<string, number>
}

/** A policy from a file: an entry of `toolkit.autoscaler` alone. Throws `invalid-request` with every problem. */
export function readPolicy(value: unknown, file: string): Policy {
  const { success, data, error } = autoscalerSchema.safeParse(value)
  const problems: Problem[] = success
    ? policyProblems(data).map(({ path, message }) => ({ path, message, file }))
    : error.issues.map((issue) => ({ path: pathOf(issue), message: issue.message, file }))
  if (success && problems.length === 0) return data
  const [first] = problems
  throw new KitbagError('invalid-request', `${file}: ${first?.path ? `${first.path}: ` : ''}${first?.message}`, {
    problems,
  })
}

/** With the first field that is not known, where that is wrong. */
function pathOf(issue: { path: PropertyKey[]; keys?: string[] }): string {
  return [...issue.path, ...(issue.keys?.slice(0, 1) ?? [])].join('.')
}

/** Recorded load from a file: CSV with a line of names, or a JSON list of objects. Throws `invalid-request` naming the line. */
export function readLoad(text: string, file: string): RecordedLoad[] {
  const rows = text.trimStart().startsWith('[') ? jsonRows(text, file) : csvRows(text, file)
  const load = rows.map((row, i) => loadOf(row, `${file}: entry ${i + 1}`))
  if (load.length < 2) throw refused(`${file} has ${load.length} entries; it takes two at least`)
  return load
}

function jsonRows(text: string, file: string): Record<string, unknown>[] {
  try {
    const rows = JSON.parse(text) as unknown
    if (Array.isArray(rows)) return rows.map((row) => ({ ...row }))
  } catch (error) {
    throw refused(`${file} is no JSON: ${(error as Error).message}`)
  }
  throw refused(`${file}: must be a list`)
}

function csvRows(text: string, file: string): Record<string, unknown>[] {
  const [head = '', ...lines] = text.split(/\r?\n/).filter((line) => line.trim() !== '')
  const names = head.split(',').map((name) => name.trim())
  return lines.map((line, i) => {
    const cells = line.split(',')
    if (cells.length !== names.length)
      throw refused(`${file}: line ${i + 2} has ${cells.length} cells, its head has ${names.length}`)
    return Object.fromEntries(names.map((name, cell) => [name, cells[cell]?.trim()]))
  })
}

function loadOf({ at, ...rest }: Record<string, unknown>, place: string): RecordedLoad {
  const time = timeOf(at)
  if (!Number.isFinite(time))
    throw refused(`${place}: \`at\` must be a time such as 2026-01-31T08:00:00Z, or seconds since 1970; found ${at}`)
  const figures = Object.entries(rest).map(
    ([name, value]) => [name, value === '' ? Number.NaN : Number(value)] as const,
  )
  // What was not recorded is missing, as it would have been live.
  return { at: time, figures: Object.fromEntries(figures.filter(([, value]) => !Number.isNaN(value))) }
}

function timeOf(at: unknown): number {
  if (typeof at === 'number' || (typeof at === 'string' && /^\d+(\.\d+)?$/.test(at))) return Number(at) * 1000
  return typeof at === 'string' ? Date.parse(at) : Number.NaN
}

function refused(message: string): KitbagError {
  return new KitbagError('invalid-request', message, {
    fix: 'It is such as: at,requests-per-second and below 2026-01-31T08:00:00Z,120',
  })
}
