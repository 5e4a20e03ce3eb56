import { publicKeyFingerprint } from '../lib/host-key.ts'
import { KitbagError } from '../model/errors.ts'
import type { MachineAccess } from '../model/machine.ts'

/**
 * - `unreachable`: nobody answered, or not with SSH
 * - `login`: the machine is the right one and refused the login
 * - `host-key`: it showed another key, and nothing more was sent
 */
export type ConnectFailureKind = 'unreachable' | 'login' | 'host-key'

/** Why one attempt to connect failed; becomes a KitbagError at the pool's border. */
export class ConnectFailure extends Error {
  readonly kind: ConnectFailureKind
  /** `host-key`: fingerprint of the key that was shown, if one was. */
  readonly presented: string | undefined

  constructor(kind: ConnectFailureKind, message: string, options: { cause?: unknown; presented?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.kind = kind
    this.presented = options.presented
  }
}

export function where({ name, address, port }: MachineAccess): string {
  return `${name} (${address.includes(':') ? `[${address}]` : address}:${port})`
}

/** The error that callers of Reach see. */
export function unreachable(machine: MachineAccess, failure: unknown): KitbagError {
  if (failure instanceof KitbagError) return failure
  if (!(failure instanceof ConnectFailure)) return cut(machine, (failure as Error).message, failure)
  const { kind, message, presented, cause } = failure
  if (kind === 'host-key') {
    const pinned = publicKeyFingerprint(machine.hostKey)
    return new KitbagError(
      'host-key-mismatch',
      `${where(machine)} shows another host key than the pinned one: pinned ${pinned}, presented ${presented ?? message}. Nothing was sent.`,
      {
        machine: machine.name,
        cause,
        fix: 'If the machine was rebuilt outside of Kitbag, replace it; else somebody stands in between.',
      },
    )
  }
  return new KitbagError('machine-unreachable', `${where(machine)} cannot be reached: ${message}`, {
    machine: machine.name,
    cause: cause ?? failure,
    retryable: kind === 'unreachable',
    ...(kind === 'login' && { fix: `Put Kitbag's public key into the authorized_keys of ${machine.user} there.` }),
  })
}

/** A connection that ended while it was in use. */
export function cut(machine: MachineAccess, reason: string, cause?: unknown): KitbagError {
  return new KitbagError('machine-unreachable', `the connection to ${where(machine)} was cut: ${reason}`, {
    machine: machine.name,
    cause,
    retryable: true,
  })
}
