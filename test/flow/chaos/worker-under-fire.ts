import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Flow } from '../../support/flow.ts'
import { workflowBundle } from '../../support/workflow-bundle.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** What the process needs to know at its start; in its environment as JSON. */
export interface WorkerSettings {
  /** PostgreSQL's. */
  socket: string
  /** base64 */
  masterKey: string
  home: string
  /** Folder of what the fake machines remember. */
  machines: string
  /** Temporal's. */
  address: string
  namespace: string
  workflowBundle: string
}

export interface WorkerUnderFire {
  /** Boundary -> how often the worker was killed while a unit stood there. */
  hits: Map<string, number>
  kills: number
  /** Kills and restarts until every wanted boundary was hit `times` times; rejects after `timeout` ms. */
  fire(wanted: string[], times: number, timeout: number): Promise<void>
  /** Kills it now; another one takes its place. */
  kill(): void
  stop(): Promise<void>
}

/** Most units that are held at one boundary for one kill: more kills, spread over the life of the deployments. */
const heldAtOnce = 2

/**
 * Runs a worker of a flow as a process of its own and kills it (SIGKILL) at boundaries. Units that come to a boundary still wanted are held
 * there; a moment later, of random length, the process is killed with all that it was at, and started again. All workers of a flow know the
 * same machines.
 */
export async function workerUnderFire({ database, temporal }: Flow): Promise<WorkerUnderFire> {
  const machines = join(database.home, 'machines')
  await mkdir(machines, { recursive: true })
  const settings: WorkerSettings = {
    machines,
    socket: database.postgres.socket,
    masterKey: database.masterKey.toString('base64'),
    home: database.home,
    address: temporal.address,
    namespace: temporal.namespace,
    workflowBundle: (await workflowBundle()).codePath,
  }
  const program = await buildWorker()
  const hits = new Map<string, number>()
  let wanted = new Set<string>()
  let times = 0
  let held: string[] = []
  let trigger: NodeJS.Timeout | undefined
  let stopping = false
  let child = start()

  function start(): ChildProcess {
    const env = { PATH: process.env.PATH, KITBAG_TEST_WORKER: JSON.stringify(settings) }
    const started = fork(program, { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'], cwd: root })
    started.on('message', ({ id, name }: { id: number; name: string }) => {
      if (started === child && !hold(name)) started.send(id, () => undefined)
    })
    started.on('exit', () => {
      if (started !== child || stopping) return
      for (const name of held) hits.set(name, (hits.get(name) ?? 0) + 1)
      held = []
      child = start()
    })
    return started
  }

  /** Whether the unit waits here for the worker's end. */
  function hold(name: string): boolean {
    const here = held.filter((other) => other === name).length
    if (!wanted.has(name) || (hits.get(name) ?? 0) + here >= times || here >= heldAtOnce) return false
    held.push(name)
    trigger ??= setTimeout(kill, 200 + Math.random() * 800)
    return true
  }

  function kill(): void {
    trigger = undefined
    under.kills++
    child.kill('SIGKILL')
  }

  const under: WorkerUnderFire = {
    hits,
    kills: 0,
    kill,
    async fire(names, count, timeout) {
      wanted = new Set(names)
      times = count
      const until = Date.now() + timeout
      const missing = () => names.filter((name) => (hits.get(name) ?? 0) < count)
      while (missing().length > 0) {
        if (Date.now() > until) throw new Error(`not hit ${count} times after ${timeout} ms: ${missing().join(', ')}`)
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
      wanted = new Set()
    },
    async stop() {
      stopping = true
      clearTimeout(trigger)
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
      await rm(program, { force: true })
    },
  }
  return under
}

async function buildWorker(): Promise<string> {
  const folder = join(root, 'node_modules/.cache/kitbag')
  await mkdir(folder, { recursive: true })
  const outfile = join(folder, `worker-${process.pid}.mjs`)
  const entry = fileURLToPath(new URL('worker-process.ts', import.meta.url))
  const common = { bundle: true, platform: 'node', target: 'node20', format: 'esm', packages: 'external' } as const
  // Loaded when used, and not here.
  const external = ['./local/driver.ts']
  await build({ ...common, entryPoints: [entry], outfile, external, loader: { '.sh': 'text' }, logLevel: 'error' })
  return outfile
}
