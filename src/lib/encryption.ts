import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/** First byte of everything encrypted here: AES-256-GCM, 12 bytes of nonce, 16 bytes of tag, then the ciphertext. */
const version = 1
const nonceLength = 12
const tagLength = 16
const headerLength = 1 + nonceLength + tagLength

/** AES-256-GCM under a 32-byte key; the header says which version of this layout it is. */
export function encrypt(key: Buffer, plain: Buffer): Buffer {
  const nonce = randomBytes(nonceLength)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(Buffer.of(version))
  const body = Buffer.concat([cipher.update(plain), cipher.final()])
  return Buffer.concat([Buffer.of(version), nonce, cipher.getAuthTag(), body])
}

/** Throws when the key is another one or the bytes were changed. */
export function decrypt(key: Buffer, sealed: Buffer): Buffer {
  if (sealed.length < headerLength || sealed[0] !== version) {
    throw new Error('these bytes were not encrypted by this version of Kitbag')
  }
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 1 + nonceLength), {
    authTagLength: tagLength,
  })
  decipher.setAAD(Buffer.of(version))
  decipher.setAuthTag(sealed.subarray(1 + nonceLength, headerLength))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(headerLength)), decipher.final()])
  } catch (cause) {
    throw new Error('cannot decrypt: the key is another one, or the bytes were changed', { cause })
  }
}

/** A 32-byte key of its own for one purpose (HKDF-SHA256), so that one master key serves several. */
export function deriveKey(master: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', master, Buffer.alloc(0), `kitbag ${purpose}`, 32))
}

/** A fresh random key. */
export function generateKey(): Buffer {
  return randomBytes(32)
}
