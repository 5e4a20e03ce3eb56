import type { Duplex } from 'node:stream'
import type { MachineAccess } from './machine.ts'
import type { HostProgram } from './program.ts'

/** A command line whose values are quoted; lib/sh makes it. */
export interface CommandText {
  readonly text: string
}

export interface ExecOptions {
  /** Sent to the command's standard input, which is then closed. */
  stdin?: string | Buffer | NodeJS.ReadableStream
  /** Called once the machine has begun the command: a failure from then on met it under way. */
  onBegin?: () => void
  /** Called with each complete line of standard output, without its newline. */
  onLine?: (line: string) => void
  /** Ends the wait and closes the channel; the command on the machine is not killed by it. */
  signal?: AbortSignal
  /** Milliseconds; default none. */
  timeout?: number
  /** Run as root: directly where the login is root, else by `sudo -n`. Default false. */
  root?: boolean
  /** Starts before commands that wait for their turn on the connection. For short ones that end others. Default false. */
  urgent?: boolean
  /** On a new connection, which takes the place of the pooled one: shows that one can still be had. Default false. */
  fresh?: boolean
  /** What `stdin` is, when it is a host program: for a transport without a shell (the fake). */
  program?: HostProgram
}

export interface ExecResult {
  /** Exit status; null when ended by a signal. */
  status: number | null
  /** Last 1 MiB of each stream. */
  stdout: string
  stderr: string
}

/**
 * How anything in Kitbag touches a machine: one pooled SSH connection per machine, host key pinned. Handed to activities and to
 * the API. Throws KitbagError `machine-unreachable` (retryable) when there is no connection or it is cut, `host-key-mismatch` (not
 * retryable) when the machine shows another key than the pinned one: then nothing was sent.
 */
export interface Reach {
  /** Runs a command line (already quoted, see lib/sh) on the machine. A status other than 0 is a result, not an error. */
  exec(machine: MachineAccess, command: string | CommandText, options?: ExecOptions): Promise<ExecResult>
  /** A TCP connection as if made from the machine itself (`direct-tcpip`). */
  connectTcp(machine: MachineAccess, host: string, port: number): Promise<Duplex>
  /** A connection to a unix socket on the machine, with the login user's rights (`direct-streamlocal`). */
  connectUnix(machine: MachineAccess, path: string): Promise<Duplex>
  /** Waits until the machine answers SSH with the pinned key. Throws `machine-unreachable` after `timeout` ms. */
  waitForSsh(machine: MachineAccess, options: { timeout: number; signal?: AbortSignal }): Promise<void>
  /** Drops the pooled connection of a machine that is gone. */
  forget(machineId: string): void
  close(): Promise<void>
}
