import { type ErrorRecord, errorCodes, errorRecord, KitbagError, type Problem } from '../model/errors.ts'
import { problemDetailsOf } from '../model/problem.ts'

/** What a machine or a server said, without what could steer the terminal. */
export function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this takes out
  return text.replace(/\u001b\[[0-9;?]*[ -/]*[@-~]|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
}

export function print(line: string): void {
  process.stdout.write(`${plain(line)}\n`)
}

/** Rows under headings, columns as wide as their widest cell. */
export function printTable(headings: string[], rows: (string | number | null)[][]): void {
  const cells = [headings, ...rows.map((row) => row.map((cell) => plain(String(cell ?? '-'))))]
  const widths = headings.map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)))
  for (const row of cells)
    process.stdout.write(
      `${row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    )
}

function placeOf({ file, line, column }: Problem): string {
  return file && line ? `${file}:${line}:${column}` : line ? `line ${line}, column ${column}` : ''
}

/** What was probably meant, or may be said. */
function hintOf({ allowed, nearest }: Problem): string {
  if (nearest) return ` (did you mean ${nearest}?)`
  return allowed && allowed.length > 0 ? ` (allowed: ${allowed.join(', ')})` : ''
}

function describeProblem(problem: Problem): string {
  const { path, message } = problem
  return `  ${[placeOf(problem), path, message].filter((part) => part !== '').join(': ')}${hintOf(problem)}`
}

/** For people: what was wrong, each place, the last lines of a failed command, and what to do. */
export function describeError(error: ErrorRecord): string {
  const problems = error.problems ?? []
  const [only] = problems
  // One that the message tells already is not told twice.
  const told = problems.length === 1 && only && error.message.includes(only.message)
  const lines = told ? [`${error.message}${hintOf(only)}`] : [error.message, ...problems.map(describeProblem)]
  if (error.machine && !error.message.includes(error.machine)) lines.push(`  machine: ${error.machine}`)
  if (error.resource && !error.message.includes(error.resource)) lines.push(`  resource: ${error.resource}`)
  const output = error.output?.trimEnd()
  if (output) lines.push(...output.split('\n').map((text) => `  | ${text}`))
  if (error.fix) lines.push(`  ${error.fix}`)
  return lines.map(plain).join('\n')
}

/** An error as people or programs read it: words on standard error, or problem details on standard output. Returns the exit code. */
export function reportError(error: unknown, json: boolean): number {
  const record = errorRecord(error)
  if (json) printJson(problemDetailsOf(record))
  else process.stderr.write(`kitbag: ${describeError(record)}\n`)
  return error instanceof KitbagError ? errorCodes[error.code].exit : 1
}

/** Runs a command; what it returns, or the kind of what it throws, becomes the exit code. */
export async function guarded(json: boolean, command: () => Promise<number | undefined | void>): Promise<void> {
  try {
    process.exitCode = (await command()) ?? 0
  } catch (error) {
    process.exitCode = reportError(error, json)
  }
}
