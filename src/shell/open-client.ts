import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import ssh2, { type Algorithms, type Client } from 'ssh2'
import { fingerprint, isSameKey, parsePublicKey, signatureAlgorithms } from '../lib/host-key.ts'
import type { MachineAccess } from '../model/machine.ts'
import { ConnectFailure } from './connect-failure.ts'

/** Milliseconds. */
export interface ConnectTimings {
  /** Until the TCP connection stands. */
  connect: number
  /** From then until the server has sent its first byte. */
  banner: number
  /** Until the login is done, all in all. */
  ready: number
}

export const ordinaryTimings: ConnectTimings = { connect: 5_000, banner: 10_000, ready: 15_000 }

/** A machine that died without a word is noticed after four intervals. */
const keepalive = { keepaliveInterval: 2_400, keepaliveCountMax: 3 }

/** The key exchange decides what a connection costs, the cipher what a byte costs: fastest first, nothing outdated. */
export const algorithms = {
  kex: ['curve25519-sha256', 'curve25519-sha256@libssh.org', 'ecdh-sha2-nistp256', 'diffie-hellman-group14-sha256'],
  cipher: ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'chacha20-poly1305@openssh.com', 'aes256-ctr'],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256'],
  compress: ['none'],
} satisfies Algorithms

export interface OpenOptions {
  privateKey: string
  timings: ConnectTimings
  signal?: AbortSignal
  /** A connection to the machine that stands already, made by another machine. */
  through?: Duplex
}

/**
 * Connects and logs in once. The host key is compared before anything of the login is sent. Throws ConnectFailure; with the
 * signal's reason when aborted.
 */
export function openClient(
  machine: MachineAccess,
  { privateKey, timings, signal, through }: OpenOptions,
): Promise<Client> {
  const pinned = parsePublicKey(machine.hostKey)
  let presented: string | undefined
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const socket = through ?? new Socket()
    const client = new ssh2.Client()
    const timer = watch(socket, timings, (failure) => settle(failure))
    const abort = () => settle(signal?.reason)
    signal?.addEventListener('abort', abort, { once: true })

    let settled = false
    function settle(failure?: unknown): void {
      if (settled) return
      settled = true
      timer.stop()
      signal?.removeEventListener('abort', abort)
      if (failure === undefined) {
        resolve(client)
        return
      }
      reject(failure)
      client.destroy()
      socket.destroy()
    }

    client.on('ready', () => settle())
    // Stays for the client's whole life: an 'error' without a listener would end the process.
    client.on('error', (error) => settle(toFailure(error, machine, presented)))
    client.on('close', () =>
      settle(new ConnectFailure('unreachable', 'it closed the connection before the login was done')),
    )
    client.connect({
      sock: socket as Socket,
      username: machine.user,
      privateKey,
      authHandler: ['publickey'],
      readyTimeout: timings.ready,
      ...keepalive,
      algorithms: { ...algorithms, serverHostKey: signatureAlgorithms(pinned.type) } as Algorithms,
      hostVerifier: (key: Buffer) => {
        const same = isSameKey(pinned.blob, key)
        if (!same) presented = fingerprint(key)
        return same
      },
    })
    if (!(socket instanceof Socket)) return
    // Without it every command loses 40 ms to Nagle's algorithm meeting delayed acknowledgements.
    socket.setNoDelay(true)
    socket.connect({ host: machine.address, port: machine.port })
  })
}

/** Guards the two moments that ssh2 does not: an unanswered SYN, and a server that accepts and says nothing. */
export function watch(
  socket: Socket | Duplex,
  { connect, banner }: ConnectTimings,
  fail: (failure: ConnectFailure) => void,
) {
  const late = (what: string, ms: number) => () => fail(new ConnectFailure('unreachable', `${what} within ${ms} ms`))
  let timer: NodeJS.Timeout
  const connected = () => {
    clearTimeout(timer)
    timer = setTimeout(late('it accepted the connection and sent nothing', banner), banner)
  }
  if (socket instanceof Socket) {
    timer = setTimeout(late('no answer', connect), connect)
    socket.once('connect', connected)
  } else connected()
  socket.once('data', () => clearTimeout(timer))
  return { stop: () => clearTimeout(timer) }
}

/** Names for what the network said. */
const systemErrors: Record<string, string> = {
  ECONNREFUSED: 'it refused the connection',
  ECONNRESET: 'it reset the connection',
  EHOSTUNREACH: 'no route to it',
  ENETUNREACH: 'no route to its network',
  ETIMEDOUT: 'no answer',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name cannot be looked up now',
}

export function toFailure(
  error: Error & { level?: string; code?: unknown },
  machine: Pick<MachineAccess, 'user'>,
  presented?: string,
): ConnectFailure {
  if (presented) return new ConnectFailure('host-key', error.message, { presented, cause: error })
  if (/no matching host key/i.test(error.message)) {
    return new ConnectFailure('host-key', `no key of that type`, { cause: error })
  }
  if (error.level === 'client-authentication') {
    return new ConnectFailure('login', `it refused the login of ${machine.user}`, { cause: error })
  }
  const message = systemErrors[String(error.code)] ?? error.message
  return new ConnectFailure('unreachable', message, { cause: error })
}
