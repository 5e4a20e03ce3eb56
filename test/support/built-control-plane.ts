import { join } from 'node:path'
import { type Client, createClient } from '../../src/api/client.ts'
import { findProcesses, findProcessesIn } from '../../src/main/embedded/processes.ts'
import { adminToken, type KitbagProcess, runKitbag } from './control-plane.ts'
import { until } from './until.ts'

/** The built program, `kitbag up`, on one home: started, killed and started again. */
export interface BuiltControlPlane {
  /** Talks to the one that runs at present. */
  client(): Client
  url(): string
  /** Everything that it wrote so far, all its lives, both streams. */
  output(): string
  /** Its processes: API and worker in one, PostgreSQL with its children, Temporal. */
  processes(): number[]
  /** Returns when it is ready. */
  start(): Promise<void>
  /** Kills all its processes at once, as a box does that runs out of memory. */
  kill(): Promise<void>
  /** Asks it to end, and kills what then is left. */
  end(): Promise<void>
}

/** Milliseconds that it has to end by itself. */
const patience = 15_000

export function builtControlPlane(home: string): BuiltControlPlane {
  const data = join(home, 'postgres')
  const lives: KitbagProcess[] = []
  let client: Client | undefined
  let url = ''

  function processes(): number[] {
    const child = lives.at(-1)?.child
    const own = child?.pid !== undefined && child.exitCode === null && child.signalCode === null ? [child.pid] : []
    const postgres = [...findProcesses('postgres', '-D', data), ...findProcessesIn(data)]
    const temporal = findProcesses('temporal', '--db-filename', join(home, 'temporal/temporal.db'))
    return [...new Set([...own, ...postgres, ...temporal])]
  }

  async function kill(): Promise<void> {
    for (const pid of processes()) killOne(pid)
    await until(() => processes().length === 0)
  }

  return {
    client() {
      if (!client) throw new Error('the control plane was not started')
      return client
    },
    url: () => url,
    output: () => lives.map((life) => life.output()).join(''),
    processes,
    kill,
    async start() {
      const life = runKitbag(['up'], { KITBAG_HOME: home })
      lives.push(life)
      url = (await life.ready).replace('kitbag is ready: ', '')
      client = createClient({ url, token: await adminToken(home) })
    },
    async end() {
      lives.at(-1)?.child.kill('SIGTERM')
      await until(() => processes().length === 0, patience).catch(() => undefined)
      await kill()
    },
  }
}

/** One that ended meanwhile is fine. */
function killOne(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
