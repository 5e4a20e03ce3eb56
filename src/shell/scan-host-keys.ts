import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import ssh2, { type Algorithms } from 'ssh2'
import { parsePublicKey, signatureAlgorithms } from '../lib/host-key.ts'
import type { MachineAccess } from '../model/machine.ts'
import { ConnectFailure } from './connect-failure.ts'
import { algorithms, type ConnectTimings, toFailure, watch } from './open-client.ts'

/** In the order of preference. */
const types = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ssh-rsa']

export interface ScanOptions {
  timings: ConnectTimings
  /** Makes a connection by way of another machine. */
  through?: () => Promise<Duplex>
}

/** Every host key that a server shows, as ssh-keyscan does: the exchange ends before any login. Throws ConnectFailure when none came. */
export async function scanHostKeys(
  machine: Omit<MachineAccess, 'hostKey'>,
  { timings, through }: ScanOptions,
): Promise<string[]> {
  const attempts = types.map(async (type) => shownKey(machine, type, timings, await through?.()))
  const results = await Promise.allSettled(attempts)
  const shown = results.flatMap((result) => (result.status === 'fulfilled' ? (result.value ?? []) : []))
  const failed = results.find((result) => result.status === 'rejected')
  if (shown.length === 0 && failed) throw failed.reason
  return shown
}

/** undefined: it has no key of that type. */
function shownKey(
  machine: Omit<MachineAccess, 'hostKey'>,
  type: string,
  timings: ConnectTimings,
  through?: Duplex,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = through ?? new Socket()
    const client = new ssh2.Client()
    const timer = watch(socket, timings, (failure) => end(() => reject(failure)))
    let shown: string | undefined
    let ended = false
    function end(settle: () => void): void {
      if (ended) return
      ended = true
      timer.stop()
      settle()
      client.destroy()
      socket.destroy()
    }
    client.on('error', (error) =>
      end(() => {
        const failure = toFailure(error, { user: machine.user })
        if (shown !== undefined || failure.kind === 'host-key') resolve(shown)
        else reject(failure)
      }),
    )
    client.on('close', () =>
      end(() => reject(new ConnectFailure('unreachable', 'it closed the connection before it showed a host key'))),
    )
    client.connect({
      sock: socket as Socket,
      username: machine.user,
      readyTimeout: timings.ready,
      algorithms: { ...algorithms, serverHostKey: signatureAlgorithms(type) } as Algorithms,
      hostVerifier: (key: Buffer) => {
        const text = `${type} ${key.toString('base64')}`
        if (parsePublicKey(text).type === type) shown = text
        return false
      },
    })
    if (socket instanceof Socket) socket.connect({ host: machine.address, port: machine.port })
  })
}
