import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject, sign } from 'node:crypto'

/** The name that such certificates are for; who asks expects it, whatever the machine's address. */
export const certificateName = 'kitbag'

export interface KeyPair {
  /** PEM. */
  certificate: string
  key: string
}

/**
 * A key and a certificate that it signed itself, both made of a secret, for one purpose: the same everywhere and at any time, so that nothing
 * has to be kept or carried between machines. Ed25519, whose signatures hold no chance. Who has the key is let in, and nobody else.
 */
export function ownKeyPair(seed: string, purpose: string): KeyPair {
  const secret = Buffer.from(hkdfSync('sha256', seed, '', `kitbag ${purpose}`, 32))
  const key = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, secret]), format: 'der', type: 'pkcs8' })
  return {
    certificate: pem('CERTIFICATE', certificate(key)),
    key: key.export({ format: 'pem', type: 'pkcs8' }).toString(),
  }
}

/** RFC 8410, 7: everything of the PKCS #8 form that stands before the 32 bytes of the key. */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')

/** A DER element: tag, length, content. */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

const sequence = (...parts: Buffer[]) => der(0x30, ...parts)
const hex = (text: string) => Buffer.from(text, 'hex')
const ed25519 = sequence(hex('06032b6570'))

/** X.509, version 3 (RFC 5280), without an end that anybody would live to see. */
function certificate(key: KeyObject): Buffer {
  const name = sequence(der(0x31, sequence(hex('0603550403'), der(0x0c, Buffer.from(certificateName)))))
  const validity = sequence(der(0x17, Buffer.from('200101000000Z')), der(0x18, Buffer.from('99991231235959Z')))
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' })
  const alternative = sequence(hex('0603551d11'), der(0x04, sequence(der(0x82, Buffer.from(certificateName)))))
  const authority = sequence(hex('0603551d13'), hex('0101ff'), der(0x04, sequence(hex('0101ff'))))
  const body = sequence(
    hex('a003020102'),
    hex('020101'),
    ed25519,
    name,
    validity,
    name,
    publicKey,
    der(0xa3, sequence(alternative, authority)),
  )
  return sequence(body, ed25519, der(0x03, hex('00'), sign(null, body, key)))
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').replace(/(.{64})(?=.)/g, '$1\n')
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`
}
