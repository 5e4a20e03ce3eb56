import { z } from 'zod'
import type { MachineAccess } from '../model/machine.ts'
import { parsePublicKey } from './host-key.ts'

export const portField = z.int().min(1).max(65_535)
export const userField = z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'must be the name of a Linux user')

export const hostKeyField = z
  .string()
  .refine(isHostKey, 'must be a fingerprint (SHA256:...) or a whole public key (ssh-ed25519 AAAA...)')

/** A machine that SSH goes through. */
export const jumpSchema = z.strictObject({
  address: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.:-]{0,252}$/, 'must be an address or a host name'),
  port: portField.default(22),
  user: userField.optional(),
  hostKey: hostKeyField.optional(),
})

export type JumpSettings = z.infer<typeof jumpSchema>

/** A jump host of a cloud as something to connect to, its key still to be pinned. */
export function jumpTarget(
  cloud: string,
  { address, port, user = 'debian' }: JumpSettings,
): Omit<MachineAccess, 'hostKey'> {
  return { id: `ssh:${cloud}:jump:${address}:${port}:${user}`, name: `jump host ${address}`, address, port, user }
}

function isHostKey(text: string): boolean {
  if (/^SHA256:[A-Za-z0-9+/]{43}$/.test(text)) return true
  try {
    parsePublicKey(text)
    return true
  } catch {
    return false
  }
}
