import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { root } from '../../demo/paths.ts'

interface Answer {
  error?: { message: string } | null
  detail?: string
}

/** Runs the command line as a user would; its JSON answer. Throws with the operation's or the API's own words on any status but 0. */
export function runCli(args: string[], env: NodeJS.ProcessEnv): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(root, 'bin/kitbag'), [...args, '--json'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk) => (stdout += chunk))
    child.stderr.on('data', (chunk) => (stderr += chunk))
    child.on('error', reject)
    child.on('close', (status) => {
      if (status === 0) resolve(JSON.parse(stdout || 'null'))
      else
        reject(
          new Error(`kitbag ${args[0]} ended with status ${status}: ${wordsOf(stdout) ?? (stderr.trim() || stdout)}`),
        )
    })
  })
}

function wordsOf(stdout: string): string | undefined {
  try {
    const { error, detail } = JSON.parse(stdout) as Answer
    return error?.message ?? detail
  } catch {
    return undefined
  }
}
