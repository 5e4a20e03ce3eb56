import type { Client, ClientChannel } from 'ssh2'
import type { MachineAccess } from '../model/machine.ts'
import { cut } from './connect-failure.ts'
import { createSlots } from './slots.ts'

/** sshd allows 10 sessions on a connection (MaxSessions); two stay free for urgent ones. Forwarded streams do not count. */
const sessions = { ordinary: 8, urgent: 2 }

/** The connection was no good for it, and nothing of it has begun: the same may be tried on another connection. */
export class NotBegun extends Error {}

export interface SessionOptions {
  urgent?: boolean
  signal?: AbortSignal
}

export type Open = (client: Client, done: (error: Error | undefined, channel: ClientChannel) => void) => void

/** `letGo` counts the channel as closed: sshd confirms that only when the command has ended, which may be never. */
export type Attach<T> = (channel: ClientChannel, letGo: () => void) => T

/** One logged-in connection and what runs on it. */
export interface Connection {
  readonly machine: MachineAccess
  /** Streams open or asked for. */
  readonly busy: number
  /** Set once it ended, with the reason. */
  readonly lost: Error | undefined
  /**
   * Starts a command. `attach` is called at once, because a short command's end may come with the very same packet. Throws NotBegun,
   * `machine-unreachable`, or the signal's reason.
   */
  session<T>(command: string, options: SessionOptions, attach: Attach<T>): Promise<T>
  /** Opens a stream by one of ssh2's forwarding calls. Throws NotBegun or ssh2's error with its `reason`. */
  stream<T>(open: Open, attach: Attach<T>): Promise<T>
  /** Closes it as soon as nothing is open on it. */
  retire(): void
  /** Closes it now: what is open on it ends as cut. */
  end(): void
}

export interface ConnectionEvents {
  /** It ended, by whomever. */
  onLost(): void
  /** The last open stream closed. */
  onIdle(): void
}

export function createConnection(machine: MachineAccess, client: Client, events: ConnectionEvents): Connection {
  const slots = createSlots(sessions.ordinary, sessions.urgent)
  let busy = 0
  let lost: Error | undefined
  let retired = false
  let abandoned = 0

  client.on('error', (error) => lose(error))
  client.on('end', () => lose(new Error('it ended the connection')))
  // Before the channels' own close events, so that each can tell a cut from an end.
  client.prependListener('close', () => lose(new Error('it closed the connection')))

  function lose(reason: Error): void {
    if (lost) return
    lost = reason
    slots.fail(new NotBegun(reason.message))
    events.onLost()
    client.destroy()
  }

  function release(): void {
    busy--
    if (busy > 0 || lost) return
    if (retired) client.end()
    else events.onIdle()
  }

  async function stream<T>(open: Open, attach: Attach<T>): Promise<T> {
    if (lost) throw new NotBegun(lost.message)
    busy++
    try {
      return await new Promise<T>((resolve, reject) => {
        open(client, (error, channel) => {
          if (error) {
            reject(error)
            return
          }
          const free = once(release)
          channel.once('close', free)
          resolve(attach(channel, free))
        })
      })
    } catch (error) {
      release()
      throw beforeItBegan(error as Error) ? new NotBegun((error as Error).message) : error
    }
  }

  async function session<T>(command: string, options: SessionOptions, attach: Attach<T>): Promise<T> {
    for (;;) {
      await slots.take(options)
      try {
        return await stream(
          (ssh, done) => ssh.exec(command, done),
          (channel, free) => {
            const give = once(slots.give)
            channel.once('close', give)
            return attach(channel, () => {
              abandoned++
              give()
              free()
            })
          },
        )
      } catch (error) {
        slots.give()
        if (error instanceof NotBegun) throw error
        if (!isRefusal(error)) throw cut(machine, lost?.message ?? (error as Error).message, error)
        // Fewer sessions than expected: take turns with those that run. Where none runs, or commands that nobody waits for any
        // more hold them, another connection has to do.
        if (slots.taken === 0 || abandoned > 0) throw new NotBegun((error as Error).message)
        slots.shrink(slots.taken)
      }
    }
  }

  return {
    machine,
    get busy() {
      return busy
    },
    get lost() {
      return lost
    },
    session,
    stream,
    retire() {
      retired = true
      if (busy === 0) client.end()
    },
    end() {
      lose(new Error('it was closed from this side'))
      client.end()
    },
  }
}

/** ssh2 gives the first for a channel that was never confirmed, and throws the second. */
function beforeItBegan(error: Error): boolean {
  return error.message === 'No response from server' || error.message === 'Not connected'
}

/** The server answered the request for a channel by no. */
function isRefusal(error: unknown): boolean {
  return (error as { reason?: unknown }).reason !== undefined
}

function once(act: () => void): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    act()
  }
}
