import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { isCovered } from './hosts.ts'

const block = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g

/** Certificates of a PEM text, in its order. Throws when one cannot be read. */
export function certificatesIn(pem: string): X509Certificate[] {
  return (pem.match(block) ?? []).map((text) => new X509Certificate(text))
}

/** Names and addresses that a certificate is for. */
export function hostsOf({ subjectAltName = '' }: X509Certificate): string[] {
  return subjectAltName.split(', ').flatMap((name) => /^(?:DNS|IP Address):(.+)$/.exec(name)?.[1]?.toLowerCase() ?? [])
}

/**
 * What is wrong with a certificate that somebody gave, in words; undefined: nothing. It has to have the key, to be valid now, to be for
 * every host, and those after it have to be the ones that signed it.
 */
export function faultOf(chain: string, key: string, hosts: string[], now: Date): string | undefined {
  let all: X509Certificate[]
  try {
    all = certificatesIn(chain)
  } catch (error) {
    return `a certificate cannot be read: ${(error as Error).message}`
  }
  const [leaf] = all
  if (!leaf) return 'there is no certificate in it: PEM begins with -----BEGIN CERTIFICATE-----'
  const privateKey = readKey(key)
  if (typeof privateKey === 'string') return privateKey
  if (!leaf.checkPrivateKey(privateKey)) return 'the key is not that of the certificate'
  return dateFault(all, now) ?? chainFault(all) ?? hostFault(leaf, hosts)
}

function readKey(key: string): KeyObject | string {
  if (key.includes('ENCRYPTED')) return 'the key is encrypted: store it without its passphrase'
  try {
    return createPrivateKey(key)
  } catch {
    return 'the key cannot be read: PEM begins with -----BEGIN PRIVATE KEY-----'
  }
}

function dateFault(all: X509Certificate[], now: Date): string | undefined {
  for (const [i, { validFrom, validTo }] of all.entries()) {
    const which = i === 0 ? 'the certificate' : `certificate ${i + 1} of the chain`
    if (new Date(validFrom) > now) return `${which} is not valid before ${new Date(validFrom).toISOString()}`
    if (new Date(validTo) <= now) return `${which} expired at ${new Date(validTo).toISOString()}`
  }
  return undefined
}

function chainFault(all: X509Certificate[]): string | undefined {
  for (const [i, certificate] of all.entries()) {
    const signer = all[i + 1]
    if (!signer) continue
    const name = signer.subject.replaceAll('\n', ', ')
    if (!signer.ca) return `certificate ${i + 2} of the chain (${name}) is no authority`
    if (!certificate.checkIssued(signer) || !certificate.verify(signer.publicKey))
      return `certificate ${i + 2} of the chain (${name}) did not sign the one before it`
  }
  return undefined
}

function hostFault(leaf: X509Certificate, hosts: string[]): string | undefined {
  const names = hostsOf(leaf)
  const missing = hosts.filter((host) => !isCovered(host, names))
  if (missing.length === 0) return undefined
  return `it is not for ${missing.join(', ')}, but for ${names.join(', ') || 'no host'}`
}
