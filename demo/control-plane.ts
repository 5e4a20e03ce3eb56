import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { root } from './paths.ts'

export interface ControlPlane {
  url: string
  token: string
  /** Environment for the CLI, so that it talks to this control plane. */
  env: NodeJS.ProcessEnv
  stop(): Promise<void>
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no free port on 127.0.0.1')
  return address.port
}

/** Starts `kitbag up` on a home of its own and waits for its `ready` line. Throws with its last words when it ends before. */
export async function startControlPlane(home: string, program = join(root, 'bin/kitbag')): Promise<ControlPlane> {
  mkdirSync(home, { recursive: true, mode: 0o700 })
  const env = { ...process.env, KITBAG_HOME: home, KITBAG_LISTEN: `127.0.0.1:${await freePort()}` }
  delete (env as NodeJS.ProcessEnv).KITBAG_URL
  delete (env as NodeJS.ProcessEnv).KITBAG_TOKEN
  // Its own session: a Ctrl-C in the terminal is the demo's to handle.
  const child = spawn(program, ['up'], { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  const url = await readyUrl(child)
  child.stdout?.resume()
  child.stderr?.resume()
  const token = readFileSync(join(home, 'admin-token'), 'utf8').trim()
  return {
    url,
    token,
    env,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  }
}

function readyUrl(child: ChildProcess): Promise<string> {
  const { stdout, stderr } = child
  if (!stdout || !stderr) throw new Error('kitbag up has no output')
  const words: string[] = []
  return new Promise((resolve, reject) => {
    stderr.on('data', (chunk: Buffer) => words.push(chunk.toString()))
    createInterface({ input: stdout }).on('line', (line) => {
      const ready = /^kitbag is ready: (\S+)/.exec(line)
      if (ready?.[1]) resolve(ready[1])
      else words.push(`${line}\n`)
    })
    child.on('error', reject)
    child.on('exit', (status) => {
      const last = words.join('').trim().split('\n').slice(-5)
      const sentence = last.findLast((line) => line.startsWith('kitbag: '))?.replace('kitbag: ', '')
      reject(new Error(sentence ?? `the control plane ended with status ${status}: ${last.join('\n')}`))
    })
  })
}
