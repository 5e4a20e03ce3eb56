import { spawn } from 'node:child_process'
import { KitbagError } from '../../model/errors.ts'

export interface RunOptions {
  stdin?: string
  env?: Record<string, string>
  /** Called with each line of both output streams. */
  onLine?: (line: string) => void
  /** Milliseconds after which the command is killed. Default 60,000. */
  timeout?: number
}

export interface RunResult {
  status: number | null
  stdout: string
  /** Last lines of both streams together, for messages. */
  tail: string
}

const kept = 20

/** Runs a program of the box to its end, whatever its status. Throws `prerequisite-missing` when there is no such program. */
export function tryRun(command: string, args: string[], options: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, LC_ALL: 'C.UTF-8', ...options.env },
      timeout: options.timeout ?? 60_000,
      killSignal: 'SIGKILL',
    })
    let stdout = ''
    const tail: string[] = []
    const onLine = (line: string) => {
      if (line.trim() !== '') tail.push(line)
      if (tail.length > kept) tail.shift()
      options.onLine?.(line)
    }
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    const rests = [eachLine(child.stdout, onLine), eachLine(child.stderr.setEncoding('utf8'), onLine)]
    child.stdin.on('error', () => {})
    child.stdin.end(options.stdin ?? '')
    child.on('error', (cause) => reject(missingProgram(command, cause)))
    child.on('close', (status) => {
      for (const finish of rests) finish()
      resolve({ status, stdout, tail: tail.join('\n') })
    })
  })
}

/** The same, for a command that has to succeed; gives its standard output. Throws `provider-failed` with its last lines. */
export async function run(command: string, args: string[], options: RunOptions = {}): Promise<string> {
  const { status, stdout, tail } = await tryRun(command, args, options)
  if (status === 0) return stdout
  const ending = status === null ? 'was killed' : `ended with status ${status}`
  throw new KitbagError('provider-failed', `local: ${[command, ...args].join(' ')} ${ending}: ${lastLine(tail)}`, {
    output: tail,
  })
}

function eachLine(stream: NodeJS.ReadableStream, onLine: (line: string) => void): () => void {
  let rest = ''
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    lines.forEach(onLine)
  })
  return () => {
    if (rest !== '') onLine(rest)
  }
}

/** The last line of some output, or a dash. */
export function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) || '-'
}

function missingProgram(command: string, cause: Error): Error {
  if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') return cause
  return new KitbagError('prerequisite-missing', `local: the program ${command} is missing on this box`, {
    cause,
    fix: 'Run `kitbag doctor` to see what is missing; as root on Debian, Kitbag installs it by itself.',
  })
}
