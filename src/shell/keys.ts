import { generateKeyPairSync, randomBytes } from 'node:crypto'

export interface KeyPair {
  /** OpenSSH's own format (PEM). */
  privateKey: string
  /** `ssh-ed25519 AAAA... comment` */
  publicKey: string
}

const type = 'ssh-ed25519'

/**
 * A fresh ed25519 key pair, unencrypted, in the formats of ssh-keygen. Written here because ssh2's own generator drops leading zeros
 * of one key in 256, which nothing can read then: https://github.com/mscdex/ssh2/issues/1513
 */
export function generateKeyPair(comment: string): KeyPair {
  // Encoded as it is made. The export of a key object that was just made holds a lock which Node's garbage collection takes once more when
  // it meets the making just then, and the process hangs for good (seen with Node 20.20.2).
  const made = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
    publicKeyEncoding: { type: 'spki', format: 'der' },
  })
  // Both end with the 32 bytes of the key: RFC 8410, 4 and 7.
  const publicBytes = made.publicKey.subarray(-32)
  const seed = made.privateKey.subarray(-32)
  const note = comment.replace(/\s+|\p{Cc}+/gu, ' ').trim()
  const publicBlob = Buffer.concat([field(type), field(publicBytes)])
  return {
    privateKey: pem(privateBody(publicBlob, publicBytes, seed, note)),
    publicKey: `${type} ${publicBlob.toString('base64')}${note && ` ${note}`}`,
  }
}

/** https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key */
function privateBody(publicBlob: Buffer, publicBytes: Buffer, seed: Buffer, comment: string): Buffer {
  const check = randomBytes(4)
  const secret = Buffer.concat([
    check,
    check,
    field(type),
    field(publicBytes),
    field(Buffer.concat([seed, publicBytes])),
    field(comment),
  ])
  const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, i) => i + 1))
  return Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    field('none'),
    field('none'),
    field(''),
    uint32(1),
    field(publicBlob),
    field(Buffer.concat([secret, padding])),
  ])
}

function pem(body: Buffer): string {
  const lines = body.toString('base64').match(/.{1,70}/g) ?? []
  return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n')
}

function field(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([uint32(bytes.length), bytes])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
