/** A step of a machine, as events told it. */
export interface Step {
  kind: string
  status: string
  /** Seconds so far, or that it took. */
  seconds: number
  /** The last resource that it told of. */
  resource?: string
}

export interface TreeMachine {
  name: string
  steps: Step[]
}

export interface Picture {
  machines: TreeMachine[]
  /** Under the tree. */
  notes: string[]
}

/** Room for a machine's name, at least: as wide as the longest step. */
const narrowest = 14

const marks: Record<string, string> = { running: '*', done: '+', failed: 'x', skipped: '-' }

/** The tree of an operation: machine by machine, step by step, with seconds, in at most `rows` lines of `columns`. */
export function drawTree({ machines, notes }: Picture, columns: number, rows: number): string[] {
  const room = Math.max(3, rows - notes.length)
  const sorted = [...machines].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
  const width = Math.max(narrowest, ...sorted.map(({ name }) => name.length))
  const lines = [
    ...within(sorted, room, (machine, whole) => (whole ? wholeMachine(machine, width) : [brief(machine, width)])),
    ...notes.map((note) => `  ${note}`),
  ]
  return lines.map((line) => cut(line, columns - 1))
}

const isQuiet = ({ steps }: TreeMachine) => steps.every(({ status }) => status === 'done' || status === 'skipped')

/** All steps of every machine while there is room; then the machines that are at rest in one line each; then only as many as fit. */
function within(
  machines: TreeMachine[],
  room: number,
  draw: (machine: TreeMachine, whole: boolean) => string[],
): string[] {
  const pictures = [() => true, (machine: TreeMachine) => !isQuiet(machine), () => false]
  for (const whole of pictures) {
    const lines = machines.flatMap((machine) => draw(machine, whole(machine)))
    if (lines.length <= room) return lines
  }
  const busyFirst = [...machines].sort((a, b) => Number(isQuiet(a)) - Number(isQuiet(b)))
  const shown = busyFirst.slice(0, room - 1)
  const rest = busyFirst.slice(shown.length)
  const busy = rest.filter((machine) => !isQuiet(machine)).length
  const more = `  and ${rest.length} more machines: ${busy} at work, ${rest.length - busy} at rest`
  return [...shown.flatMap((machine) => draw(machine, false)), more]
}

function seconds(value: number): string {
  return `${value.toFixed(1).padStart(6)} s`
}

function total(steps: Step[]): number {
  return steps.reduce((sum, step) => sum + step.seconds, 0)
}

function wholeMachine(machine: TreeMachine, width: number): string[] {
  const { name, steps } = machine
  if (steps.length === 1) return [brief(machine, width)]
  return [
    `  ${name.padEnd(width + 4)}${seconds(total(steps))}`,
    ...steps.map(({ kind, status, seconds: took, resource }) => {
      const at = status === 'running' && resource !== undefined ? `  after ${resource}` : ''
      return `    ${marks[status] ?? ' '} ${kind.padEnd(width)}${seconds(took)}${at}`
    }),
  ]
}

function brief({ name, steps }: TreeMachine, width: number): string {
  const words = steps.map(({ kind, status }) => `${marks[status] ?? ' '} ${kind}`)
  return `  ${name.padEnd(width + 4)}${seconds(total(steps))}  ${words.join('  ')}`
}

function cut(line: string, columns: number): string {
  return line.length <= columns ? line : `${line.slice(0, Math.max(0, columns - 3))}...`
}
