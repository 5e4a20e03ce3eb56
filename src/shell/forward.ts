import { Duplex } from 'node:stream'
import type { ClientChannel } from 'ssh2'
import { KitbagError } from '../model/errors.ts'
import { cut, where } from './connect-failure.ts'
import type { Connection, Open } from './connection.ts'

/** A TCP connection made by the machine. Throws `service-failed` (retryable) when nothing accepts it there. */
export function forwardTcp(connection: Connection, host: string, port: number): Promise<Duplex> {
  return forward(connection, host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`, (client, done) =>
    client.forwardOut('127.0.0.1', 0, host, port, done),
  )
}

/** A connection to a unix socket of the machine. Throws `service-failed` (retryable) when it cannot be opened by the login user. */
export function forwardUnix(connection: Connection, path: string): Promise<Duplex> {
  return forward(connection, path, (client, done) => client.openssh_forwardOutStreamLocal(path, done))
}

async function forward(connection: Connection, target: string, open: Open): Promise<Duplex> {
  try {
    return await connection.stream(open, (channel) => toDuplex(connection, channel))
  } catch (error) {
    const { reason, message } = error as Error & { reason?: unknown }
    if (reason === undefined) throw error
    const detail = message.replace(/^\(SSH\) Channel open failure: /, '')
    throw new KitbagError(
      'service-failed',
      `${where(connection.machine)}: nothing answers at ${target} there: ${detail}`,
      {
        machine: connection.machine.name,
        retryable: true,
        cause: error,
      },
    )
  }
}

/** ssh2's channel as a stream that keeps Node's rules: `destroy` closes it, a cut connection is an error, `close` always comes. */
function toDuplex(connection: Connection, channel: ClientChannel): Duplex {
  const duplex = new Duplex({
    read: () => void channel.resume(),
    write(chunk: Buffer, encoding, done) {
      if (channel.write(chunk, encoding)) return done()
      drained = done
    },
    final(done) {
      channel.end()
      done()
    },
    destroy(error, done) {
      channel.resume()
      channel.close()
      done(error)
    },
  })
  let drained: (() => void) | undefined
  function goOn(): void {
    const done = drained
    drained = undefined
    done?.()
  }
  channel.on('drain', goOn)
  channel.on('data', (chunk: Buffer) => {
    if (!duplex.destroyed && !duplex.push(chunk)) channel.pause()
  })
  channel.once('end', () => {
    if (!connection.lost && !duplex.destroyed) duplex.push(null)
  })
  channel.on('error', (error: Error) => duplex.destroy(error))
  channel.once('close', () => {
    goOn()
    if (connection.lost) duplex.destroy(cut(connection.machine, connection.lost.message))
    else if (!duplex.writableFinished) duplex.end(() => duplex.destroy())
  })
  return duplex
}
