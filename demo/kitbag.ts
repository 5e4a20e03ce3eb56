import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { root } from './paths.ts'

export interface KitbagOptions {
  env: NodeJS.ProcessEnv
  /** The terminal is the CLI's; else its JSON answer is returned. */
  show?: boolean
  /** Aborted: the command is ended as by Ctrl-C, which leaves its operation running. */
  signal?: AbortSignal
}

/** Runs the CLI as a user would. Throws with its words on any status but 0. */
export function kitbag(args: string[], { env, show, signal }: KitbagOptions): Promise<unknown> {
  signal?.throwIfAborted()
  return new Promise((resolve, reject) => {
    const child = spawn(join(root, 'bin/kitbag'), show ? args : [...args, '--json'], {
      env,
      stdio: show ? ['inherit', 2, 2] : ['ignore', 'pipe', 'pipe'],
    })
    const interrupt = () => child.kill('SIGINT')
    signal?.addEventListener('abort', interrupt, { once: true })
    let stdout = ''
    let stderr = ''
    child.stdout?.on('data', (chunk) => (stdout += chunk))
    child.stderr?.on('data', (chunk) => (stderr += chunk))
    child.on('error', reject)
    child.on('close', (status) => {
      signal?.removeEventListener('abort', interrupt)
      if (status === 0) resolve(show ? undefined : JSON.parse(stdout || 'null'))
      else reject(new Error(`kitbag ${args.join(' ')} ended with status ${status}${reasonIn(stdout, stderr)}`))
    })
  })
}

/** What the CLI said: nothing where the terminal was its own. */
function reasonIn(stdout: string, stderr: string): string {
  const words = (stderr + stdout).trim().slice(-2000)
  return words === '' ? '' : `: ${words}`
}
