import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { packageRoot } from '../../../src/lib/package-root.ts'

export interface Ran {
  status: number | null
  stdout: string
  stderr: string
}

/** Runs bin/kitbag to its end; its environment is the given one only, beside PATH. */
export function runCli(args: string[], options: { env?: Record<string, string>; input?: string } = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(packageRoot(), 'bin/kitbag'), args, {
      env: { PATH: process.env.PATH, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk) => (stdout += chunk))
    child.stderr.on('data', (chunk) => (stderr += chunk))
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, stdout, stderr }))
    child.stdin.on('error', () => {})
    child.stdin.end(options.input ?? '')
  })
}
