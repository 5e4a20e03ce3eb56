import { createHash, timingSafeEqual } from 'node:crypto'
import { KitbagError } from '../model/errors.ts'

export interface HostKey {
  /** `ssh-ed25519`, as in the key's own text. */
  type: string
  /** The key as it goes over the wire. */
  blob: Buffer
}

/** Reads a public key as OpenSSH writes it, `ssh-ed25519 AAAA... [comment]`. Throws `invalid-request` on anything else. */
export function parsePublicKey(text: string): HostKey {
  const [type = '', base64 = ''] = text.trim().split(/\s+/)
  const blob = Buffer.from(base64, 'base64')
  const length = blob.length > 4 ? blob.readUInt32BE(0) : 0
  if (!type || blob.subarray(4, 4 + length).toString('latin1') !== type) {
    throw new KitbagError(
      'invalid-request',
      `not a public key in OpenSSH's format: ${JSON.stringify(text.slice(0, 60))}`,
      {
        fix: 'Give it as in a known_hosts or .pub file: ssh-ed25519 AAAA...',
      },
    )
  }
  return { type, blob }
}

/** Whether both are the same key, in constant time. */
export function isSameKey(pinned: Buffer, presented: Buffer): boolean {
  return pinned.length === presented.length && timingSafeEqual(pinned, presented)
}

/** `SHA256:...` as ssh-keygen -l prints it. */
export function fingerprint(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`
}

/** `SHA256:...` of a public key in OpenSSH's format. Throws `invalid-request` when it is none. */
export function publicKeyFingerprint(publicKey: string): string {
  return fingerprint(parsePublicKey(publicKey).blob)
}

/** Names under which a server may sign with a key of this type; asking for these alone makes it present that key. */
export function signatureAlgorithms(type: string): string[] {
  return type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [type]
}
