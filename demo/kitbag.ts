import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { root } from './paths.ts'

/** Runs the CLI as a user would. Without `show` its JSON answer is returned; with it the terminal is the CLI's. Throws with its words on any status but 0. */
export function kitbag(args: string[], options: { env: NodeJS.ProcessEnv; show?: boolean }): Promise<unknown> {
  const words = options.show ? args : [...args, '--json']
  return new Promise((resolve, reject) => {
    const child = spawn(join(root, 'bin/kitbag'), words, {
      env: options.env,
      stdio: options.show ? ['inherit', 2, 2] : ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout?.on('data', (chunk) => (stdout += chunk))
    child.stderr?.on('data', (chunk) => (stderr += chunk))
    child.on('error', reject)
    child.on('close', (status) => {
      if (status !== 0) {
        reject(
          new Error(`kitbag ${args.join(' ')} ended with status ${status}: ${(stderr + stdout).trim().slice(-2000)}`),
        )
      } else resolve(options.show ? undefined : JSON.parse(stdout || 'null'))
    })
  })
}
