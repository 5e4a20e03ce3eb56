import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect } from 'vitest'

/** Processes that each driver loses before it counts as proven. */
export const wantedKills = 100

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** What the process needs to know at its start; in its environment as JSON. */
export interface DriverLife {
  kind: 'aws' | 'azure'
  settings: unknown
  credentials: unknown
  installation: string
  deployment: string
  /** Of the machines that are asked for. */
  tokens: readonly string[]
  /** The first that is not done. */
  step: number
}

/**
 * `step`: so many are done; `machines`: of the deployment, as listed after they were created, and after they were destroyed; `addresses`:
 * static ones, after one was asked for.
 */
export type DriverMessage = { step: number } | { machines: string[] } | { addresses: number } | { ended: true }

export interface Execution {
  /** Credentials of its own, by which the cloud knows its calls. */
  credentials: unknown
  /** Whether so many calls of this process took effect, the last of which is not answered. */
  isStruck: () => boolean
}

export interface KilledDrivers {
  kills: number
  /**
   * Goes through a life with processes that are killed (SIGKILL) between a call's effect and its answer: the first after its first call,
   * the next after its second, and so on, until one lives long enough. `prepare` tells the cloud of the next one.
   */
  live(life: Omit<DriverLife, 'step' | 'credentials'>, prepare: (calls: number) => Promise<Execution>): Promise<void>
  close(): Promise<void>
}

export async function killedDrivers(): Promise<KilledDrivers> {
  const program = await buildProgram()
  const running = new Set<ChildProcess>()

  /** True: it ended by itself. */
  async function run(
    life: DriverLife,
    isStruck: () => boolean,
    hear: (message: DriverMessage) => void,
  ): Promise<boolean> {
    const env = { PATH: process.env.PATH, NODE_NO_WARNINGS: '1', KITBAG_TEST_DRIVER: JSON.stringify(life) }
    const child = fork(program, { env, execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'], cwd: root })
    running.add(child)
    let ended = false
    child.on('message', (message: DriverMessage) => {
      if ('ended' in message) ended = true
      else hear(message)
    })
    const exit = once(child, 'exit')
    const watching = setInterval(() => isStruck() && child.kill('SIGKILL'), 2)
    const [code, signal] = await exit
    clearInterval(watching)
    running.delete(child)
    if (signal === 'SIGKILL') drivers.kills++
    else if (!ended) throw new Error(`a driver's process ended with ${code ?? signal} by itself`)
    return ended
  }

  const drivers: KilledDrivers = {
    kills: 0,
    async live(life, prepare) {
      let step = 0
      for (let calls = 1; ; calls++) {
        const { credentials, isStruck } = await prepare(calls)
        const hear = (message: DriverMessage) => {
          if ('step' in message) step = message.step
          if ('addresses' in message) expect(message.addresses).toBe(1)
          if ('machines' in message) expect(message.machines).toEqual(step === 1 ? [...life.tokens].sort() : [])
        }
        if (await run({ ...life, credentials, step }, isStruck, hear)) return
        // A life has fewer.
        expect(calls).toBeLessThan(100)
      }
    },
    async close() {
      for (const child of running) child.kill('SIGKILL')
      await rm(program, { force: true })
    },
  }
  return drivers
}

/** In one file, which is soon read: each process lives for some calls only. */
async function buildProgram(): Promise<string> {
  const folder = join(root, 'node_modules/.cache/kitbag')
  await mkdir(folder, { recursive: true })
  const outfile = join(folder, `driver-${process.pid}.mjs`)
  await build({
    entryPoints: [fileURLToPath(new URL('driver-process.ts', import.meta.url))],
    outfile,
    ...{ bundle: true, platform: 'node', target: 'node20', format: 'esm', minify: true, logLevel: 'error' },
    // Loaded when used, and not here.
    external: ['./local/driver.ts', './ssh/driver.ts', './fake/driver.ts'],
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
  })
  return outfile
}
