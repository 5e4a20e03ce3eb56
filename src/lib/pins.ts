import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { KitbagError } from '../model/errors.ts'
import type { MachineAccess } from '../model/machine.ts'
import { publicKeyFingerprint } from './host-key.ts'
import { readState, writeState } from './state-file.ts'

type Target = Omit<MachineAccess, 'hostKey'>

/** Tells the host keys that a machine shows now, none of them trusted. */
interface Scanner {
  hostKeys(machine: Target): Promise<string[]>
}

export interface Pins {
  /** The whole public key that a machine has to show. Throws `host-key-mismatch`, `machine-unreachable`. */
  keyOf(target: Target, given: string | undefined): Promise<string>
}

/**
 * Host keys as they are given: whole keys as they are, fingerprints by the key that fits among those that the machine shows. Where none
 * is given, the first that it ever shows is kept in `folder` and holds from then on.
 */
export function createPins(ssh: Scanner, folder: string): Pins {
  const known = new Map<string, Promise<string>>()

  async function find(target: Target, given: string | undefined): Promise<string> {
    if (given === undefined) return firstUse(target)
    if (!given.startsWith('SHA256:')) return given
    const shown = await ssh.hostKeys(target)
    const fitting = shown.find((key) => publicKeyFingerprint(key) === given)
    if (fitting !== undefined) return fitting
    throw new KitbagError(
      'host-key-mismatch',
      `${target.name} (${target.address}) shows another host key than the pinned one: pinned ${given}, presented ${shown.map(publicKeyFingerprint).join(', ') || 'none'}. Nothing was sent.`,
      {
        machine: target.name,
        fix: 'If the machine was installed anew, put its new fingerprint into the settings; else somebody stands in between.',
      },
    )
  }

  async function firstUse(target: Target): Promise<string> {
    const file = join(folder, `${target.address.replaceAll(':', '_')}-${target.port}.pub`)
    const kept = await readState(file)
    if (kept !== undefined) return kept.trim()
    const [first] = await ssh.hostKeys(target)
    if (first === undefined)
      throw new KitbagError('machine-unreachable', `${target.name} (${target.address}) shows no host key`, {
        machine: target.name,
        retryable: true,
      })
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await writeState(file, `${first}\n`)
    return first
  }

  return {
    keyOf(target, given) {
      const name = `${target.id} ${target.address} ${target.port} ${given}`
      const asked = known.get(name) ?? find(target, given)
      known.set(name, asked)
      asked.catch(() => known.delete(name))
      return asked
    },
  }
}
