import { existsSync, fstatSync, ftruncateSync, openSync, readFileSync, statSync } from 'node:fs'

/** A child's log begins anew at a start when it is past this many bytes. */
const largest = 8 * 1024 * 1024

/** Opens a child's log for appending; the child keeps writing to it when we are gone. */
export function openLogFile(path: string): number {
  const file = openSync(path, 'a', 0o600)
  if (fstatSync(file).size > largest) ftruncateSync(file)
  return file
}

/** How long a log is by now: what follows belongs to the next start. */
export function logSize(path: string): number {
  return existsSync(path) ? statSync(path).size : 0
}

/** The last line, or the last one that `worst` matches, of what was logged past `from`; for an error message. */
export function lastWords(path: string, from: number, worst: RegExp): string {
  if (!existsSync(path)) return ''
  const lines = readFileSync(path)
    .subarray(Math.min(from, logSize(path)))
    .toString()
    .trim()
    .split('\n')
  return (lines.findLast((line) => worst.test(line)) ?? lines.at(-1) ?? '').slice(0, 500)
}
