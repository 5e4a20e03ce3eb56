import { plain } from './output.ts'
import { errorMessage, type Progress } from './progress.ts'
import { drawTree, type Step } from './tree-picture.ts'

interface Unit extends Step {
  startedAt: number
}

/** Milliseconds between two pictures, however many events come. */
const interval = 100
/** News under the tree, at most. */
const mostNotes = 3

/** A tree that is drawn anew in place, several times a second. */
export function liveTree(out: NodeJS.WriteStream): Progress {
  const machines = new Map<string, Map<string, Unit>>()
  let notes: { text: string; lasting: boolean }[] = []
  let drawn = 0

  const draw = () => {
    const now = Date.now()
    for (const units of machines.values()) {
      for (const unit of units.values()) if (unit.status === 'running') unit.seconds = (now - unit.startedAt) / 1000
    }
    const picture = {
      machines: [...machines].map(([name, units]) => ({ name, steps: [...units.values()] })),
      notes: notes.slice(-mostNotes).map(({ text }) => text),
    }
    const lines = drawTree(picture, out.columns || 80, (out.rows || 24) - 1)
    // To the first column too: a Ctrl-C leaves its echo before the cursor.
    const back = drawn > 0 ? `\r\u001b[${drawn}A` : '\r'
    out.write(`${back}\u001b[J${lines.map((line) => `${line}\n`).join('')}`)
    drawn = lines.length
  }
  const timer = setInterval(draw, interval)
  timer.unref()

  const unitOf = (data: Record<string, unknown>): Unit => {
    const name = plain(String(data.machine))
    const units = machines.get(name) ?? new Map<string, Unit>()
    machines.set(name, units)
    const key = `${data.stage ?? ''} ${data.id}`
    const kind = data.stage === 'undo' ? `undo ${data.kind}` : String(data.kind)
    const unit = units.get(key) ?? { kind, status: '', seconds: 0, startedAt: Date.now() }
    units.set(key, unit)
    return unit
  }

  return {
    event(type, data) {
      if (type === 'unit') {
        const unit = unitOf(data)
        unit.status = String(data.status)
        if (typeof data.seconds === 'number') unit.seconds = data.seconds
        const failure = data.status === 'failed' ? (errorMessage(data) ?? 'failed') : undefined
        if (failure !== undefined) notes.push({ text: plain(`${data.machine}: ${failure}`), lasting: true })
      } else if (type === 'resource') {
        for (const unit of machines.get(plain(String(data.machine)))?.values() ?? [])
          if (unit.status === 'running') unit.resource = plain(String(data.resource))
      } else if (type === 'log') {
        notes.push({ text: plain(String(data.message)), lasting: data.level !== 'info' })
      }
    },
    end() {
      clearInterval(timer)
      // What was only news on the way is over now.
      notes = notes.filter(({ lasting }) => lasting)
      draw()
    },
  }
}
