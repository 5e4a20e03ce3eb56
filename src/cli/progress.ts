import { plain } from './output.ts'

interface UnitState {
  kind: string
  status: string
  startedAt: number
  seconds?: number
}

export interface Progress {
  event(type: string, data: Record<string, unknown>): void
  /** Leaves the last picture standing. */
  end(): void
}

const marks: Record<string, string> = { running: '*', done: '+', failed: 'x', skipped: '-' }

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
    const message = (data.error as { message?: string } | undefined)?.message
    return `${String(data.machine).padEnd(20)} ${String(data.kind).padEnd(10)} ${data.status}${seconds(data)}${message ? `: ${message}` : ''}`
  }
  if (type === 'resource') {
    const changes = Array.isArray(data.changes) ? ` (${data.changes.join(', ')})` : ''
    return `${String(data.machine).padEnd(20)}   ${data.status} ${data.resource}${changes}`
  }
  if (type === 'log') return `${data.level === 'info' ? '' : `${data.level}: `}${data.message}`
  if (type === 'plan') return `plan: ${data.units} units`
  return undefined
}

/** A tree that is drawn anew in place: machine by machine, step by step, seconds. */
export function liveProgress(out: NodeJS.WriteStream): Progress {
  const machines = new Map<string, Map<string, UnitState>>()
  const notes: string[] = []
  let drawn = 0

  const draw = () => {
    const width = out.columns ?? 100
    const lines = [...machines].map(([machine, units]) => {
      const steps = [...units.values()].map(({ kind, status, startedAt, seconds: took }) => {
        const time = took ?? (Date.now() - startedAt) / 1000
        return `${marks[status] ?? ' '} ${kind} ${time.toFixed(1)}s`
      })
      return `  ${machine.padEnd(18)} ${steps.join('  ')}`.slice(0, width - 1)
    })
    const all = [...lines, ...notes.slice(-5).map((note) => `  ${note}`.slice(0, width - 1))].slice(
      -(out.rows ?? 40) + 1,
    )
    out.write(`${drawn > 0 ? `\u001b[${drawn}A` : ''}\u001b[J${all.join('\n')}${all.length > 0 ? '\n' : ''}`)
    drawn = all.length
  }
  const timer = setInterval(draw, 200)
  timer.unref()

  return {
    event(type, data) {
      if (type === 'unit') {
        const machine = plain(String(data.machine))
        const units = machines.get(machine) ?? new Map<string, UnitState>()
        machines.set(machine, units)
        const key = `${data.stage ?? ''}${data.id}`
        const before = units.get(key)
        const took = typeof data.seconds === 'number' ? { seconds: data.seconds } : {}
        units.set(key, {
          kind: String(data.kind),
          status: String(data.status),
          startedAt: before?.startedAt ?? Date.now(),
          ...took,
        })
        if (data.status === 'failed')
          notes.push(plain(`${machine}: ${(data.error as { message?: string } | undefined)?.message ?? 'failed'}`))
      } else if (type === 'log') notes.push(plain(String(data.message)))
      draw()
    },
    end() {
      clearInterval(timer)
      draw()
    },
  }
}
