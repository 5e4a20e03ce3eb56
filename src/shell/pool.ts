import type { Client } from 'ssh2'
import type { Log } from '../lib/log.ts'
import type { MachineAccess } from '../model/machine.ts'
import { cut, unreachable } from './connect-failure.ts'
import { type Connection, createConnection } from './connection.ts'
import { type ConnectTimings, ordinaryTimings } from './open-client.ts'

export interface PoolOptions {
  open(machine: MachineAccess, timings: ConnectTimings, signal: AbortSignal): Promise<Client>
  /** Milliseconds after which a connection without use is closed. */
  idle: number
  /** Connections beyond which idle ones are closed, the longest unused first. */
  most: number
  log: Log
}

export interface Pool {
  /** The machine's connection, made when there is none. Callers at the same time share one attempt. Throws ConnectFailure. */
  use(machine: MachineAccess, timings?: ConnectTimings): Promise<Connection>
  /** Takes a connection out of use; what runs on it may end. */
  retire(connection: Connection): void
  /** Has the next use make a new connection; what runs on the present one may end. */
  renew(machineId: string): void
  forget(machineId: string): void
  readonly size: number
  close(): Promise<void>
}

interface Entry {
  /** Where and as whom: a machine that moved needs another connection. */
  identity: string
  attempt: Promise<Connection>
  abort: AbortController
  connection?: Connection
  idleTimer?: NodeJS.Timeout
}

export function createPool({ open, idle, most, log }: PoolOptions): Pool {
  /** In order of use, the longest unused first. */
  const entries = new Map<string, Entry>()
  const open_ = new Set<Connection>()
  let closed = false

  function use(machine: MachineAccess, timings = ordinaryTimings): Promise<Connection> {
    if (closed) return Promise.reject(cut(machine, 'this process is shutting down'))
    const identity = identityOf(machine)
    const known = entries.get(machine.id)
    if (known?.identity === identity && !known.connection?.lost) {
      entries.delete(machine.id)
      entries.set(machine.id, known)
      known.idleTimer?.refresh()
      return known.attempt
    }
    if (known) drop(machine.id, known)
    const entry = start(machine, identity, timings)
    entries.set(machine.id, entry)
    makeRoom()
    return entry.attempt
  }

  function start(machine: MachineAccess, identity: string, timings: ConnectTimings): Entry {
    const abort = new AbortController()
    const entry: Entry = { identity, abort, attempt: Promise.resolve().then(() => connect(machine, entry, timings)) }
    return entry
  }

  async function connect(machine: MachineAccess, entry: Entry, timings: ConnectTimings): Promise<Connection> {
    const remove = () => {
      clearTimeout(entry.idleTimer)
      if (entries.get(machine.id) === entry) entries.delete(machine.id)
    }
    try {
      const client = await open(machine, timings, entry.abort.signal)
      const connection = createConnection(machine, client, {
        onLost: () => {
          remove()
          open_.delete(connection)
          log.debug('ssh connection ended', { machine: machine.id, reason: connection.lost?.message })
        },
        onIdle: () => entry.idleTimer?.refresh(),
      })
      open_.add(connection)
      entry.connection = connection
      entry.idleTimer = setTimeout(() => expire(machine.id, entry), idle).unref()
      return connection
    } catch (error) {
      remove()
      throw error
    }
  }

  function expire(machineId: string, entry: Entry): void {
    if (entry.connection?.busy) entry.idleTimer?.refresh()
    else drop(machineId, entry)
  }

  /** Nobody gets it any more; what runs on it may end. */
  function drop(machineId: string, entry: Entry): void {
    if (entries.get(machineId) === entry) entries.delete(machineId)
    clearTimeout(entry.idleTimer)
    entry.connection?.retire()
  }

  function makeRoom(): void {
    for (const [id, entry] of entries) {
      if (entries.size <= most) return
      if (entry.connection && entry.connection.busy === 0) drop(id, entry)
    }
  }

  return {
    use,
    get size() {
      return open_.size
    },
    retire(connection) {
      const entry = entries.get(connection.machine.id)
      if (entry?.connection === connection) drop(connection.machine.id, entry)
    },
    renew(machineId) {
      const entry = entries.get(machineId)
      if (entry) drop(machineId, entry)
    },
    forget(machineId) {
      const entry = entries.get(machineId)
      if (!entry) return
      drop(machineId, entry)
      entry.abort.abort(new Error('the machine is gone'))
      entry.connection?.end()
    },
    async close() {
      closed = true
      for (const [id, entry] of [...entries]) {
        drop(id, entry)
        entry.abort.abort(new Error('this process is shutting down'))
      }
      for (const connection of [...open_]) connection.end()
    },
  }
}

/** What a connection was made with: another of any of these needs another connection. */
function identityOf({ address, port, user, hostKey, privateKey = '', jump }: MachineAccess): string {
  return [address, port, user, hostKey, privateKey, ...(jump ? [identityOf(jump)] : [])].join(' ')
}

/** As the pool's callers see failures. */
export function asKitbagError<T>(machine: MachineAccess, attempt: Promise<T>): Promise<T> {
  return attempt.catch((error) => {
    throw unreachable(machine, error)
  })
}
