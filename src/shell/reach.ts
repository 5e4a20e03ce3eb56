import type { Duplex } from 'node:stream'
import type { Log } from '../lib/log.ts'
import { unlessAborted } from '../lib/unless-aborted.ts'
import { KitbagError } from '../model/errors.ts'
import type { MachineAccess } from '../model/machine.ts'
import type { Reach } from '../model/reach.ts'
import { ConnectFailure, cut, unreachable } from './connect-failure.ts'
import { type Connection, NotBegun } from './connection.ts'
import { commandLine, execOn } from './exec.ts'
import { forwardTcp, forwardUnix } from './forward.ts'
import { type ConnectTimings, openClient, ordinaryTimings } from './open-client.ts'
import { asKitbagError, createPool, type Pool } from './pool.ts'
import { scanHostKeys } from './scan-host-keys.ts'
import { waitForSsh } from './wait-for-ssh.ts'

export interface ReachOptions {
  /** Kitbag's login key, OpenSSH's format. */
  privateKey: string
  log: Log
  /** Milliseconds after which an unused connection is closed. Default 5 minutes. */
  idle?: number
  /** Connections kept open at most, as long as some are unused. Default 500. */
  most?: number
  timings?: Partial<ConnectTimings>
}

const defaults = { idle: 300_000, most: 500 }

/** What the pool can do beyond what Reach promises. */
export interface SshReach extends Reach {
  /** The host keys that it shows now, in OpenSSH's format, the preferred first. No login is tried. Throws `machine-unreachable`. */
  hostKeys(machine: Omit<MachineAccess, 'hostKey'>): Promise<string[]>
}

/** SSH to machines: see Reach for what it promises. */
export function createReach({ privateKey, log, idle, most, timings }: ReachOptions): SshReach {
  const pool: Pool = createPool({
    open: async (machine, limits, signal) => {
      const through = machine.jump && (await connectFrom(machine.jump, machine))
      return openClient(machine, {
        privateKey: machine.privateKey ?? privateKey,
        timings: limits,
        signal,
        ...(through && { through }),
      })
    },
    idle: idle ?? defaults.idle,
    most: most ?? defaults.most,
    log,
  })

  /** A connection to a machine's SSH port, made by the one before it. */
  async function connectFrom(jump: MachineAccess, to: Pick<MachineAccess, 'address' | 'port'>): Promise<Duplex> {
    try {
      return await on(jump, (connection) => forwardTcp(connection, to.address, to.port))
    } catch (error) {
      if (!(error instanceof KitbagError) || error.code !== 'service-failed') throw error
      throw new ConnectFailure('unreachable', `by way of ${error.message}`, { cause: error })
    }
  }

  /** A pooled connection may have died unnoticed: what had not begun on it is tried on a fresh one, once. */
  async function on<T>(
    machine: MachineAccess,
    act: (connection: Connection) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const attempted = asKitbagError(machine, pool.use(machine, { ...ordinaryTimings, ...timings }))
      const connection = await unlessAborted(signal, attempted)
      try {
        return await act(connection)
      } catch (error) {
        if (!(error instanceof NotBegun)) throw error
        pool.retire(connection)
        if (attempt > 1) throw cut(machine, error.message, error)
      }
    }
  }

  return {
    exec(machine, command, options = {}) {
      const line = commandLine(command, { root: options.root === true, user: machine.user })
      if (options.fresh) pool.renew(machine.id)
      return on(machine, (connection) => execOn(connection, line, options), options.signal)
    },
    connectTcp: (machine, host, port) => on(machine, (connection) => forwardTcp(connection, host, port)),
    connectUnix: (machine, path) => on(machine, (connection) => forwardUnix(connection, path)),
    async hostKeys(machine) {
      const { jump } = machine
      const options = {
        timings: { ...ordinaryTimings, ...timings },
        ...(jump && { through: () => connectFrom(jump, machine) }),
      }
      try {
        return await scanHostKeys(machine, options)
      } catch (error) {
        throw unreachable({ ...machine, hostKey: '' }, error)
      }
    },
    waitForSsh: (machine, options) => waitForSsh(pool, machine, options),
    forget: (machineId) => pool.forget(machineId),
    close: () => pool.close(),
  }
}
