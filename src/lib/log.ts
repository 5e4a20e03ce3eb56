import { inspect } from 'node:util'
import { errorRecord } from '../model/errors.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

const ranks: Record<LogLevel, number> = { debug: 10, info: 20, warn: 30, error: 40 }

type Write = (message: string, data?: Record<string, unknown>) => void

/** Structured log: one JSON object per line. Secrets in data print as `[secret]`. */
export interface Log {
  debug: Write
  info: Write
  warn: Write
  error: Write
  /** A log whose lines all carry these fields too. */
  child(data: Record<string, unknown>): Log
}

export interface LogOptions {
  /** Lines below it are left out. Default `info`. */
  level?: LogLevel
  /** Takes one line with its newline. Default: standard error. */
  write?: (line: string) => void
}

export function createLog(options: LogOptions = {}, fields: Record<string, unknown> = {}): Log {
  const { level = 'info', write = (line: string) => void process.stderr.write(line) } = options
  const at =
    (own: LogLevel): Write =>
    (message, data) => {
      if (ranks[own] < ranks[level]) return
      write(`${toLine({ time: new Date().toISOString(), level: own, message, ...fields, ...data })}\n`)
    }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (data) => createLog(options, { ...fields, ...data }),
  }
}

function toLine(entry: Record<string, unknown>): string {
  try {
    return JSON.stringify(entry, plain)
  } catch {
    return JSON.stringify({ ...entry, data: inspect(entry) }, ['time', 'level', 'message', 'data'])
  }
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (!(value instanceof Error)) return value
  return { ...errorRecord(value), stack: value.stack, ...(value.cause !== undefined && { cause: value.cause }) }
}
