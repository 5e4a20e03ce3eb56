import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto'
import { isIP, isIPv4 } from 'node:net'
import { bits, context, integer, octets, oid, pem, sequence, set, time, truth, utf8 } from '../../lib/der.ts'

const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'))
/** Certificates are taken as valid by clocks that are up to an hour behind. */
const clockSkew = 3_600_000

export interface KeyPair {
  privateKey: KeyObject
  /** PKCS #8. */
  pem: string
}

/** EC P-256: what every client takes. */
export function generateKey(): KeyPair {
  // Encoded as it is made, for the reason that is told in shell/keys.ts.
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  return { privateKey: createPrivateKey(privateKey), pem: privateKey }
}

export interface Issuer {
  /** PEM. */
  certificate: string
  key: string
}

/** A certificate authority of its own (RFC 5280), which signs servers and no other authorities. */
export function makeAuthority(name: string, lifetime: number, now: Date): Issuer {
  const key = generateKey()
  const spki = publicKeyOf(key.privateKey)
  const certificate = signed(key.privateKey, {
    issuer: name,
    subject: name,
    spki,
    from: new Date(now.getTime() - clockSkew),
    until: new Date(now.getTime() + lifetime),
    extensions: [
      extension('2.5.29.19', sequence(truth(), integer(Buffer.of(0))), true),
      // keyCertSign, cRLSign
      extension('2.5.29.15', bits(Buffer.of(0b0000_0110), 1), true),
      extension('2.5.29.14', octets(keyIdentifier(spki))),
    ],
  })
  return { certificate, key: key.pem }
}

/** A server's certificate for names and addresses; it ends no later than its authority. */
export function issueLeaf(
  authority: Issuer & { name: string; until: Date },
  { hosts, lifetime, now }: { hosts: string[]; lifetime: number; now: Date },
): Issuer {
  const key = generateKey()
  const signer = createPrivateKey(authority.key)
  const spki = publicKeyOf(key.privateKey)
  const certificate = signed(signer, {
    issuer: authority.name,
    subject: commonName(hosts),
    spki,
    from: new Date(now.getTime() - clockSkew),
    until: new Date(Math.min(now.getTime() + lifetime, authority.until.getTime())),
    extensions: [
      extension('2.5.29.19', sequence(), true),
      // digitalSignature
      extension('2.5.29.15', bits(Buffer.of(0b1000_0000), 7), true),
      // serverAuth, clientAuth
      extension('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.1'), oid('1.3.6.1.5.5.7.3.2'))),
      extension('2.5.29.17', alternativeNames(hosts)),
      extension('2.5.29.14', octets(keyIdentifier(spki))),
      extension('2.5.29.35', sequence(context(0, keyIdentifier(publicKeyOf(signer))))),
    ],
  })
  return { certificate, key: key.pem }
}

/** A request for a certificate (PKCS #10, RFC 2986) in DER: the names are in it, and that who asks has the key. */
export function makeRequest(hosts: string[], key: KeyObject): Buffer {
  const extensions = sequence(extension('2.5.29.17', alternativeNames(hosts)))
  const attributes = context(0, sequence(oid('1.2.840.113549.1.9.14'), set(extensions)), true)
  const info = sequence(integer(Buffer.of(0)), nameOf(''), publicKeyOf(key), attributes)
  return sequence(info, ecdsaWithSha256, bits(sign('sha256', info, key)))
}

interface Body {
  issuer: string
  subject: string
  spki: Buffer
  from: Date
  until: Date
  extensions: Buffer[]
}

function signed(key: KeyObject, { issuer, subject, spki, from, until, extensions }: Body): string {
  // 127 random bits: positive, and never 0 (RFC 5280, 4.1.2.2).
  const serial = randomBytes(16)
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  const body = sequence(
    context(0, integer(Buffer.of(2)), true),
    integer(serial),
    ecdsaWithSha256,
    nameOf(issuer),
    sequence(time(from), time(until)),
    nameOf(subject),
    spki,
    context(3, sequence(...extensions), true),
  )
  return pem('CERTIFICATE', sequence(body, ecdsaWithSha256, bits(sign('sha256', body, key))))
}

/** A name with a common name alone, or empty. */
function nameOf(common: string): Buffer {
  return common === '' ? sequence() : sequence(set(sequence(oid('2.5.4.3'), utf8(common))))
}

/** For people: clients look at the alternative names. At most 64 characters (RFC 5280, A.1). */
function commonName(hosts: string[]): string {
  return hosts.find((host) => host.length <= 64) ?? 'kitbag'
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [truth()] : []), octets(value))
}

/** RFC 5280, 4.2.1.6: dNSName and iPAddress. */
function alternativeNames(hosts: string[]): Buffer {
  const names = hosts.map((host) =>
    isIP(host) ? context(7, addressBytes(host)) : context(2, Buffer.from(host, 'ascii')),
  )
  return sequence(...names)
}

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail] = address.split('::')
  const groups = (text = '') => (text === '' ? [] : text.split(':'))
  const [before, after] = [groups(head), groups(tail)]
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0')
  const all = tail === undefined ? before : [...before, ...zeros, ...after]
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex')
}

function publicKeyOf(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: 'spki', format: 'der' })
}

/** RFC 7093, 2: the first 160 bits of the SHA-256 of the key. */
function keyIdentifier(spki: Buffer): Buffer {
  return createHash('sha256').update(spki).digest().subarray(0, 20)
}
