import { sleep } from '../lib/clock.ts'
import { unlessAborted } from '../lib/unless-aborted.ts'
import { KitbagError } from '../model/errors.ts'
import type { MachineAccess } from '../model/machine.ts'
import { ConnectFailure, unreachable, where } from './connect-failure.ts'
import type { ConnectTimings } from './open-client.ts'
import type { Pool } from './pool.ts'

/** A machine that boots loses early SYNs: many short attempts find it sooner than one that waits for a repeated SYN. */
const quick: ConnectTimings = { connect: 400, banner: 5_000, ready: 10_000 }
const patient: ConnectTimings = { ...quick, connect: 1_000 }
const quickAttempts = 50

/** Milliseconds between two attempts. */
const pause = 100
/** sshd counts each failed login against the source for 5 s and shuts it out at 15: https://man.openbsd.org/sshd_config#PerSourcePenalties */
const pausesAfterLogin = [1_000, 3_000, 6_000]

/**
 * Tries until the machine is logged in to; the connection stays in the pool. A refused login is tried again, seldom, because a
 * booting machine may get its user late; another host key ends it at once. Throws `machine-unreachable` with the last reason.
 */
export async function waitForSsh(
  pool: Pool,
  machine: MachineAccess,
  { timeout, signal }: { timeout: number; signal?: AbortSignal },
): Promise<void> {
  const deadline = AbortSignal.timeout(timeout)
  const over = signal ? AbortSignal.any([signal, deadline]) : deadline
  let last: unknown = new ConnectFailure('unreachable', 'no attempt ended')
  let refusals = 0
  for (let attempt = 1; ; attempt++) {
    try {
      await unlessAborted(over, pool.use(machine, attempt > quickAttempts ? patient : quick))
      return
    } catch (error) {
      signal?.throwIfAborted()
      if (!over.aborted) last = error
      if (error instanceof ConnectFailure && error.kind === 'host-key') throw unreachable(machine, error)
      // The machine in between showed another key.
      if (error instanceof KitbagError && !error.retryable) throw error
    }
    const refused = last instanceof ConnectFailure && last.kind === 'login'
    const ms = refused ? (pausesAfterLogin[Math.min(refusals++, pausesAfterLogin.length - 1)] ?? pause) : pause
    await sleep(ms, over).catch(() => signal?.throwIfAborted())
    if (deadline.aborted) throw tooLate(machine, timeout, last)
  }
}

function tooLate(machine: MachineAccess, timeout: number, last: unknown): KitbagError {
  return new KitbagError(
    'machine-unreachable',
    `${where(machine)} did not answer SSH within ${timeout / 1_000} s: ${(last as Error).message}`,
    { machine: machine.name, cause: last, retryable: true },
  )
}
