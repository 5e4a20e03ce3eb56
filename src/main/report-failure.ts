import { errorCodes, KitbagError } from '../model/errors.ts'

/** One sentence on standard error that says what is wrong and what to do; returns the exit status for it. */
export function reportFailure(error: unknown): number {
  const message = error instanceof Error ? error.message : String(error)
  const sentence = message.split('\n', 1)[0]
  const fix = error instanceof KitbagError && error.fix ? `. ${error.fix}` : ''
  process.stderr.write(`kitbag: ${sentence}${fix}\n`)
  if (process.env.KITBAG_LOG_LEVEL === 'debug' && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  return error instanceof KitbagError ? errorCodes[error.code].exit : 1
}
