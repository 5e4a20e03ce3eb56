import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createLog } from '../../src/lib/log.ts'
import type { ComposeOptions, Parts } from '../../src/main/compose.ts'
import { cacheFolder } from '../../src/main/paths.ts'
import type { RunOptions } from '../../src/main/running.ts'
import { up } from '../../src/main/up.ts'
import { workflowBundle } from './workflow-bundle.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface TestControlPlane {
  url: string
  /** The admin token. */
  token: string
  home: string
  parts: Parts
  /** Calls the API with the token; `body` goes as JSON. */
  request(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>
  /** Ends it, and removes its home unless that was given. */
  stop(): Promise<void>
}

export interface TestControlPlaneOptions {
  /** Default: a throw-away one. */
  home?: string
  overrides?: ComposeOptions['overrides']
  worker?: RunOptions['worker']
  log?: RunOptions['log']
}

/** A whole control plane from source in this process: real PostgreSQL, real Temporal, worker and API on a free port. */
export async function startControlPlane(options: TestControlPlaneOptions = {}): Promise<TestControlPlane> {
  const home = options.home ?? (await temporaryHome())
  const running = await up(
    { home, cache: cacheFolder(), listen: { host: '127.0.0.1', port: 0 } },
    {
      log: options.log ?? createLog({ level: 'error' }),
      onProgress: () => {},
      worker: { workflowBundle: await workflowBundle(), ...options.worker },
      ...(options.overrides && { overrides: options.overrides }),
    },
  )
  const url = running.url ?? ''
  const token = await adminToken(home)
  return {
    url,
    token,
    home,
    parts: running.parts,
    request: (method, path, body, headers = {}) => call({ url, token }, method, path, body, headers),
    async stop() {
      await running.stop()
      if (!options.home) await rm(home, { recursive: true, force: true })
    },
  }
}

export async function call(
  { url, token }: { url: string; token: string },
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
}

export async function temporaryHome(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'kitbag-home-'))
}

export async function adminToken(home: string): Promise<string> {
  return (await readFile(join(home, 'admin-token'), 'utf8')).trim()
}

export interface KitbagProcess {
  child: ChildProcess
  /** What it wrote so far, both streams. */
  output(): string
  /** The line that says it is ready; rejects with its words when it ends before. */
  ready: Promise<string>
  /** Its exit status; null when a signal ended it. */
  ended: Promise<number | null>
  /** Sends the signal and waits for the end. */
  end(signal?: NodeJS.Signals): Promise<number | null>
}

let built = false

/** Builds dist/ from the current sources, once per process; does nothing where it is current. */
export function buildKitbag(): void {
  if (!built)
    execFileSync(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: ['ignore', 'ignore', 'inherit'] })
  built = true
}

/** Runs bin/kitbag, or a copy of it, as a process of its own, from the current sources. Its environment is the given one only, beside PATH. */
export function runKitbag(
  args: string[],
  env: Record<string, string>,
  program = join(root, 'bin/kitbag'),
): KitbagProcess {
  buildKitbag()
  const child = spawn(program, args, {
    env: { PATH: process.env.PATH, KITBAG_LISTEN: '127.0.0.1:0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let output = ''
  const ended = once(child, 'close').then(([status]) => status as number | null)
  const ready = new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => /^kitbag .*is ready/.test(line) && resolve(line))
    void ended.then((status) => reject(new Error(`kitbag ${args.join(' ')} ended with status ${status}: ${output}`)))
  })
  ready.catch(() => {})
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  return {
    child,
    output: () => output,
    ready,
    ended,
    end(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal)
      return ended
    },
  }
}
