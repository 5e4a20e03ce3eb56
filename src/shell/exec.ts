import type { ClientChannel } from 'ssh2'
import { quote } from '../lib/sh.ts'
import { unlessAborted } from '../lib/unless-aborted.ts'
import { KitbagError } from '../model/errors.ts'
import type { CommandText, ExecOptions, ExecResult } from '../model/reach.ts'
import { cut, where } from './connect-failure.ts'
import type { Connection } from './connection.ts'
import { createLineSplitter } from './lines.ts'
import { feed } from './stdin.ts'
import { createTail } from './tail.ts'

const tailBytes = 1024 * 1024

/** What is sent to the machine: `sudo` where root is asked for and the login is not root. */
export function commandLine(command: string | CommandText, { root, user }: { root: boolean; user: string }): string {
  const text = typeof command === 'string' ? command : command.text
  if (!root || user === 'root') return text
  return text === 'sh' ? 'sudo -n sh' : `sudo -n sh -c ${quote(text)}`
}

/** Runs one command on an open connection. Throws NotBegun when another connection may try it. */
export async function execOn(connection: Connection, line: string, options: ExecOptions): Promise<ExecResult> {
  const { urgent = false, timeout } = options
  const limit = timeout === undefined ? undefined : AbortSignal.timeout(timeout)
  const signals = [options.signal, limit].filter((signal) => signal !== undefined)
  const signal = signals.length > 1 ? AbortSignal.any(signals) : signals[0]
  try {
    const session = connection.session(line, { urgent, ...(signal && { signal }) }, (channel, letGo) => {
      options.onBegin?.()
      const ended = collect(connection, channel, { ...options, letGo }, signal)
      // Nobody may be there any more to hear of it.
      ended.catch(() => {})
      return { ended }
    })
    const { ended } = await unlessAborted(signal, session)
    return await ended
  } catch (error) {
    if (!limit?.aborted || error !== limit.reason) throw error
    throw new KitbagError(
      'machine-unreachable',
      `${where(connection.machine)}: a command did not end within ${timeout} ms`,
      { machine: connection.machine.name, retryable: true, cause: error },
    )
  }
}

function collect(
  connection: Connection,
  channel: ClientChannel,
  options: ExecOptions & { letGo: () => void },
  signal?: AbortSignal,
) {
  return new Promise<ExecResult>((resolve, reject) => {
    const stdout = createTail(tailBytes)
    const stderr = createTail(tailBytes)
    const split = options.onLine && createLineSplitter(options.onLine)
    let status: number | null | undefined

    const abort = () => give(signal?.reason)
    function give(error: unknown): void {
      signal?.removeEventListener('abort', abort)
      reject(error)
      stopFeeding()
      channel.close()
      options.letGo()
    }

    channel.on('data', (chunk: Buffer) => {
      stdout.add(chunk)
      try {
        split?.(chunk)
      } catch (error) {
        give(error)
      }
    })
    channel.stderr.on('data', (chunk: Buffer) => stderr.add(chunk))
    channel.on('error', give)
    channel.once('exit', (code: number | null) => {
      status = code
    })
    channel.once('close', () => {
      stopFeeding()
      signal?.removeEventListener('abort', abort)
      if (status === undefined)
        reject(cut(connection.machine, connection.lost?.message ?? 'the command gave no status'))
      else resolve({ status, stdout: stdout.text(), stderr: stderr.text() })
    })
    const stopFeeding = feed(channel, options.stdin, give)
    if (signal?.aborted) abort()
    else signal?.addEventListener('abort', abort, { once: true })
  })
}
