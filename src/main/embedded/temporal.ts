import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Connection } from '@temporalio/client'
import type { Log } from '../../lib/log.ts'
import { readState, writeState } from '../../lib/state-file.ts'
import { endWithParent } from './end-with-parent.ts'
import { claimablePort, freePorts, listening } from './free-port.ts'
import { lastWords, logSize, openLogFile } from './log-file.ts'
import { endProcess, findProcesses } from './processes.ts'
import { type Supervised, supervise, untilReady } from './supervise.ts'

export interface EmbeddedTemporal extends Supervised {
  /** host:port */
  address: string
  namespace: string
}

const namespace = 'default'

/** It ends in well below a second when asked; what it had not written it has not acknowledged either. */
const ending: [NodeJS.Signals, number][] = [['SIGTERM', 3_000]]

/** Workflows that the server keeps in memory. By default they are thousands, and those that ended stay for an hour. */
const caches = {
  'system.enableActivityEagerExecution': true,
  'history.hostLevelCacheMaxSize': 256,
  'history.cacheMaxSize': 256,
}

/** Starts with other ports, where one was taken meanwhile. */
const mostAttempts = 5
const inUse = /address already in use/

/** Go's heap grows to what the limit allows and is collected harder near it. */
const memory = { GOMEMLIMIT: '160MiB', GOGC: '40' }

/**
 * Starts the Temporal dev server of this home, on loopback only, its state in SQLite under the home; one that a killed control plane
 * left is ended first. It keeps its port over restarts where it can. The caller holds the home's lock.
 */
export async function startTemporal(options: { home: string; binary: string; log: Log }): Promise<EmbeddedTemporal> {
  const { home, binary, log } = options
  const folder = join(home, 'temporal')
  const database = join(folder, 'temporal.db')
  const logFile = join(home, 'temporal.log')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const leftovers = async () => {
    for (const pid of findProcesses('temporal', '--db-filename', database)) {
      log.info('ending the Temporal server that a former control plane left', { pid })
      await endProcess(pid, ending)
    }
  }
  await leftovers()
  let logged = 0
  const started = async (): Promise<EmbeddedTemporal> => {
    const port = await choosePort(join(folder, 'port'))
    const address = `127.0.0.1:${port}`
    const supervised = await supervise({
      name: 'Temporal',
      start: async () => {
        await leftovers()
        logged = logSize(logFile)
        const [metrics = 0, http = 0] = await freePorts(2)
        return run(binary, serverArguments({ database, port, metrics, http }), folder, logFile)
      },
      ready: (signal) =>
        untilReady(() => probe(address), {
          timeout: 60_000,
          signal,
          sentence: `Temporal does not answer, see ${logFile}`,
        }),
      end: ending,
      lastWords: () => lastWords(logFile, logged, /error|fatal/i),
      log,
    })
    return { ...supervised, address, namespace }
  }
  for (let attempt = 1; ; attempt++) {
    try {
      return await started()
    } catch (error) {
      // Somebody else took a port between its choice and its use.
      if (!inUse.test(lastWords(logFile, logged, inUse)) || attempt >= mostAttempts) throw error
    }
  }
}

/** The port of the last time when it is free, so that workers elsewhere on this machine find it again. */
async function choosePort(file: string): Promise<number> {
  const last = Number(await readState(file)) || 0
  const port = (last > 0 && (await claimablePort(last))) || (await claimablePort(0))
  if (!port) throw new Error('no free port on 127.0.0.1')
  await writeState(file, String(port))
  return port
}

function serverArguments(at: { database: string; port: number; metrics: number; http: number }): string[] {
  return [
    ...['server', 'start-dev', '--headless', '--ip', '127.0.0.1'],
    ...['--port', String(at.port), '--http-port', String(at.http), '--metrics-port', String(at.metrics)],
    // Three times as fast as the default, and still nothing is lost when a process dies (only when the power fails).
    ...['--db-filename', at.database, '--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=normal'],
    ...['--namespace', namespace, '--log-level', 'error', '--log-format', 'json'],
    ...Object.entries(caches).flatMap(([name, value]) => ['--dynamic-config-value', `${name}=${value}`]),
    // No settings of the user's own Temporal client.
    ...['--disable-config-env', '--disable-config-file'],
  ]
}

function run(binary: string, args: string[], folder: string, logFile: string): ChildProcess {
  const output = openLogFile(logFile)
  try {
    const env = { PATH: process.env.PATH, HOME: folder, ...memory }
    const [command = binary, ...rest] = [...endWithParent('SIGTERM'), binary, ...args]
    return spawn(command, rest, { stdio: ['ignore', output, output], detached: true, cwd: folder, env })
  } finally {
    closeSync(output)
  }
}

async function probe(address: string): Promise<void> {
  // A refused gRPC connection is tried again only a second later; a plain one at once.
  await listening(address)
  const connection = await Connection.connect({ address, connectTimeout: 1_000 })
  try {
    await connection.withDeadline(Date.now() + 2_000, () => connection.workflowService.describeNamespace({ namespace }))
  } finally {
    await connection.close()
  }
}
