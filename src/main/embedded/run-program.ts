import { spawn } from 'node:child_process'

export interface ProgramOutcome {
  /** null: it could not be started, or a signal ended it. */
  status: number | null
  /** Last 64 KiB of both streams together. */
  output: string
}

/** Runs a program to its end; never rejects. `onLine` gets each line of either stream. */
export function runProgram(
  program: string,
  args: string[],
  options: { env?: NodeJS.ProcessEnv; timeout?: number; onLine?: (line: string) => void; signal?: AbortSignal } = {},
): Promise<ProgramOutcome> {
  const { env = process.env, timeout, onLine, signal } = options
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(timeout !== undefined && { timeout }),
      ...(signal && { signal }),
    })
    let output = ''
    let partial = ''
    const take = (chunk: Buffer) => {
      output = (output + chunk).slice(-65_536)
      const lines = (partial + chunk).split('\n')
      partial = lines.pop() ?? ''
      for (const line of lines) onLine?.(line)
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.on('error', (error) => resolve({ status: null, output: `${output}${error.message}` }))
    child.on('close', (status) => resolve({ status, output }))
  })
}

/** The last line of some output that says anything, for a sentence. */
export function lastLine(output: string): string {
  return output.trim().split('\n').at(-1)?.trim().slice(0, 300) ?? ''
}
