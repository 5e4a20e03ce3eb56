import { plain } from './output.ts'

/** Shows an operation's events. */
export interface Progress {
  event(type: string, data: Record<string, unknown>): void
  /** Leaves the last picture standing. */
  end(): void
}

/** One line per news, for CI and files. */
export function plainProgress(write: (text: string) => void): Progress {
  return {
    event(type, data) {
      const line = lineOf(type, data)
      if (line !== undefined) write(`${plain(line)}\n`)
    },
    end() {},
  }
}

function seconds(data: Record<string, unknown>): string {
  return typeof data.seconds === 'number' ? ` ${data.seconds.toFixed(1)} s` : ''
}

function lineOf(type: string, data: Record<string, unknown>): string | undefined {
  if (type === 'unit') {
    const message = errorMessage(data)
    return `${String(data.machine).padEnd(20)} ${String(data.kind).padEnd(10)} ${data.status}${seconds(data)}${message ? `: ${message}` : ''}`
  }
  if (type === 'resource') {
    const changes = Array.isArray(data.changes) ? ` (${data.changes.join(', ')})` : ''
    return `${String(data.machine).padEnd(20)}   ${data.status} ${data.resource}${changes}`
  }
  if (type === 'log') return `${data.level === 'info' ? '' : `${data.level}: `}${data.message}`
  if (type === 'plan') return `plan: ${data.units} ${data.units === 1 ? 'unit' : 'units'}`
  return undefined
}

/** Why a unit failed. */
export function errorMessage(data: Record<string, unknown>): string | undefined {
  return (data.error as { message?: string } | undefined)?.message
}
