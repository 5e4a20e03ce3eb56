import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { mkdtemp, rename, statfs } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import pg from 'pg'
import { connectionOptions } from '../../db/database.ts'
import type { Log } from '../../lib/log.ts'
import { KitbagError } from '../../model/errors.ts'
import { endWithParent } from './end-with-parent.ts'
import { lastWords, logSize, openLogFile } from './log-file.ts'
import { findPostgresBinaries, type PostgresBinaries } from './postgres-binaries.ts'
import { endProcess, findProcesses, findProcessesIn, isNumberTaken } from './processes.ts'
import { socketFolder } from './socket-folder.ts'
import { type Supervised, supervise, untilReady } from './supervise.ts'

export interface EmbeddedPostgres extends Supervised {
  /** Folder of its unix socket; the database and user are `kitbag`. */
  socket: string
}

/** One small server for one control plane: every figure here is memory or processes saved, none of them durability. */
const settings = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  max_connections: '40',
  shared_buffers: '16MB',
  work_mem: '4MB',
  maintenance_work_mem: '16MB',
  max_wal_size: '256MB',
  min_wal_size: '32MB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_replication_slots: '0',
  max_worker_processes: '0',
  max_parallel_workers: '0',
  max_logical_replication_workers: '0',
  max_prepared_transactions: '0',
  autovacuum_max_workers: '1',
  autovacuum_worker_slots: '1',
  io_method: 'sync',
  jit: 'off',
  huge_pages: 'off',
  log_checkpoints: 'off',
  log_line_prefix: '%m ',
  log_min_messages: 'warning',
  // A message's detail may hold the values of a row.
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
}

/** Lines that say why it ends. */
const worst = /(FATAL|PANIC|error): /i

/** Fast shutdown, then immediate: the next start recovers from the log. */
const ending: [NodeJS.Signals, number][] = [
  ['SIGINT', 5_000],
  ['SIGQUIT', 2_000],
]

/**
 * Starts the PostgreSQL of this home, making its data folder at the first time; a server that a killed control plane left behind is
 * ended first. Throws `prerequisite-missing` where it cannot run. The caller holds the home's lock.
 */
export async function startPostgres({ home, log }: { home: string; log: Log }): Promise<EmbeddedPostgres> {
  const binaries = findPostgresBinaries()
  const data = join(home, 'postgres')
  const logFile = join(home, 'postgres.log')
  const socket = socketFolder(home)
  if (!existsSync(data)) await initialize(binaries, data, logFile)

  const args = ['-D', data, '-k', socket]
  for (const [name, value] of Object.entries(settings)) args.push('-c', `${name}=${value}`)
  let logged = 0
  const supervised = await supervise({
    name: 'PostgreSQL',
    start: async () => {
      await endLeftovers(data, log)
      removeStaleLocks([join(data, 'postmaster.pid'), join(socket, '.s.PGSQL.5432.lock')])
      logged = logSize(logFile)
      return run(binaries.postgres, args, logFile)
    },
    ready: (signal) =>
      untilReady(() => probe(socket), {
        timeout: 60_000,
        signal,
        sentence: `PostgreSQL does not answer, see ${logFile}`,
      }),
    end: ending,
    lastWords: () => lastWords(logFile, logged, worst),
    log,
  })
  return { ...supervised, socket }
}

/** A server and its own children; those of a server that was killed end by themselves, and must have before another starts. */
async function endLeftovers(data: string, log: Log): Promise<void> {
  const servers = findProcesses('postgres', '-D', data)
  for (const pid of servers) {
    log.info('ending the PostgreSQL that a former control plane left', { pid })
    await endProcess(pid, ending)
  }
  for (const pid of findProcessesIn(realpathSync(data))) await endProcess(pid, [['SIGQUIT', 2_000]])
}

/**
 * Lock files that name a process that is no PostgreSQL (any more): one that was killed and that nobody has reaped yet, or one that
 * was given its number since. PostgreSQL would take either for a running server; it removes the others itself. Nothing of this data
 * folder runs when this is called.
 */
function removeStaleLocks(files: string[]): void {
  for (const file of files) {
    const named = existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) : 0
    if (named > 0 && isNumberTaken(named)) rmSync(file, { force: true })
  }
}

/** What an interrupted first start left. */
function removeHalfMade(data: string): void {
  const folder = dirname(data)
  const half = readdirSync(folder).filter((name) => name.startsWith(`${basename(data)}.new-`))
  for (const name of half) rmSync(join(folder, name), { recursive: true, force: true })
}

/** Made aside and renamed, so that a half-made one is never taken for a database. */
async function initialize({ initdb, postgres }: PostgresBinaries, data: string, logFile: string): Promise<void> {
  removeHalfMade(data)
  await requireSpace(dirname(data))
  const fresh = await mkdtemp(`${data}.new-`)
  const logged = logSize(logFile)
  try {
    const options = ['--username=kitbag', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-instructions']
    await complete(run(initdb, ['-D', fresh, ...options], logFile), logFile, logged)
    const single = run(postgres, ['--single', '-D', fresh, 'template1'], logFile, 'create database kitbag\n')
    await complete(single, logFile, logged)
    await rename(fresh, data)
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true })
    throw error
  }
}

/** Bytes that an empty database takes, its log and room to begin with. */
const spaceNeeded = 256 * 1024 ** 2

async function requireSpace(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  if (free >= spaceNeeded) return
  const mebibytes = (bytes: number) => `${Math.floor(bytes / 1024 ** 2)} MiB`
  const message = `the embedded PostgreSQL needs ${mebibytes(spaceNeeded)} in ${folder}, ${mebibytes(free)} are free`
  throw new KitbagError('prerequisite-missing', message, {
    fix: 'Free some disk space there, or set KITBAG_HOME to a folder that has more.',
  })
}

async function complete(child: ChildProcess, logFile: string, logged: number): Promise<void> {
  const failure = once(child, 'error').then(([error]) => Promise.reject(error))
  failure.catch(() => {})
  const [status] = await Promise.race([once(child, 'exit'), failure])
  if (status === 0) return
  throw new KitbagError(
    'prerequisite-missing',
    `the embedded PostgreSQL cannot be set up: ${lastWords(logFile, logged, worst)}`,
    {
      fix: 'Free space or allow user namespaces, as it says, or set DATABASE_URL to a PostgreSQL server.',
    },
  )
}

/**
 * PostgreSQL refuses to run as root. In a user namespace of its own it sees itself as user 1000, with root's files as its own: no
 * user to create, and no folder to open up. It gets a session of its own: a Ctrl-C in the terminal is ours to handle.
 */
function run(program: string, args: string[], logFile: string, input?: string): ChildProcess {
  const own = process.getuid?.() === 0 ? ['unshare', '--user', '--map-user=1000', '--map-group=1000'] : []
  const [command = program, ...rest] = [...own, ...endWithParent('SIGINT'), program]
  const output = openLogFile(logFile)
  try {
    const child = spawn(command, [...rest, ...args], {
      stdio: [input === undefined ? 'ignore' : 'pipe', output, output],
      detached: true,
      cwd: '/',
      env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
    })
    child.stdin?.end(input)
    return child
  } finally {
    closeSync(output)
  }
}

async function probe(socket: string): Promise<void> {
  const client = new pg.Client(connectionOptions({ socket }))
  client.on('error', () => {})
  try {
    await client.connect()
  } finally {
    await client.end().catch(() => {})
  }
}
