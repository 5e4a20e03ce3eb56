import { createECDH, createHash, hkdfSync } from 'node:crypto'
import { type DomainName, wireName } from './name.ts'

/** Algorithm 13, ECDSA P-256 with SHA-256: short answers, and validated everywhere (RFC 8624 recommends it). */
const algorithm = 13
/** One key that signs everything, marked as secure entry point (RFC 4034, 2.1.1; RFC 6781, 3.1). */
const flags = 257
/** Order of the curve P-256 (SEC 2, 2.4.2). */
const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')

export interface ZoneKey {
  /** Base64. */
  privateKey: string
  /** Base64, as it stands in the DNSKEY record. */
  publicKey: string
  /** The DS record's content, for the parent zone. */
  ds: string
}

/**
 * A zone's key, the same on every node and after every rebuild because it is made from a secret of the deployment: a scalar of 384 bits
 * of HKDF, reduced to the curve (FIPS 186-5, A.2.1).
 */
export function zoneKey(secret: string, zone: DomainName): ZoneKey {
  const bits = Buffer.from(hkdfSync('sha256', secret, 'kitbag dnssec', zone, 48))
  const scalar = (BigInt(`0x${bits.toString('hex')}`) % (order - 1n)) + 1n
  const pair = createECDH('prime256v1')
  const privateKey = Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex')
  pair.setPrivateKey(privateKey)
  const publicKey = pair.getPublicKey().subarray(1)
  const rdata = Buffer.concat([Buffer.from([flags >> 8, flags & 255, 3, algorithm]), publicKey])
  const text = { privateKey: privateKey.toString('base64'), publicKey: publicKey.toString('base64') }
  return { ...text, ds: dsOf(zone, rdata) }
}

/** The DS record's content of a DNSKEY's data (RFC 4034, 5.1.4), with SHA-256. */
export function dsOf(zone: DomainName, dnskey: Buffer): string {
  const digest = createHash('sha256')
    .update(Buffer.concat([wireName(zone), dnskey]))
    .digest('hex')
  return `${keyTag(dnskey)} ${dnskey[3] ?? algorithm} 2 ${digest}`
}

/** RFC 4034, appendix B. */
function keyTag(rdata: Buffer): number {
  let sum = 0
  for (const [i, byte] of rdata.entries()) sum += i % 2 === 0 ? byte << 8 : byte
  return (sum + (sum >> 16)) & 0xffff
}
