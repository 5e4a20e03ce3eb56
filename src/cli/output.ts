import { type ErrorRecord, errorCodes, errorRecord, KitbagError } from '../model/errors.ts'

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

export function describeError(error: ErrorRecord): string {
  const lines = [`${error.message}`]
  const problems = error.problems ?? []
  for (const { path, message, file, line, column, allowed, nearest } of problems) {
    const where = file && line ? `${file}:${line}:${column}` : ''
    const hint = nearest
      ? ` (did you mean ${nearest}?)`
      : allowed && allowed.length > 0
        ? ` (allowed: ${allowed.join(', ')})`
        : ''
    lines.push(`  ${[where, path, message].filter((part) => part !== '').join(': ')}${hint}`)
  }
  if (error.machine && !error.message.includes(error.machine)) lines.push(`  machine: ${error.machine}`)
  if (error.resource && !error.message.includes(error.resource)) lines.push(`  resource: ${error.resource}`)
  if (error.output)
    lines.push(
      ...error.output
        .trimEnd()
        .split('\n')
        .map((text) => `  | ${text}`),
    )
  if (error.fix) lines.push(`  ${error.fix}`)
  return lines.map(plain).join('\n')
}

/** Runs a command; what it throws is printed (JSON with `--json`) and becomes the exit code of its kind. */
export async function guarded(json: boolean, command: () => Promise<number | undefined | void>): Promise<void> {
  try {
    process.exitCode = (await command()) ?? 0
  } catch (error) {
    const record = errorRecord(error)
    if (json) printJson({ error: record })
    else process.stderr.write(`kitbag: ${describeError(record)}\n`)
    process.exitCode = error instanceof KitbagError ? errorCodes[error.code].exit : 1
  }
}
