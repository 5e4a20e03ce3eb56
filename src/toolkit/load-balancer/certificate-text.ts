import { X509Certificate } from 'node:crypto'
import { KitbagError } from '../../model/errors.ts'

const block = /-----BEGIN ([A-Z0-9 ]+)-----[A-Za-z0-9+/=\s]+-----END \1-----/g

/** Certificates and keys of a PEM text, without what stands between them. */
function pemBlocks(pem: string): { label: string; text: string }[] {
  return [...pem.matchAll(block)].map(([text, label = '']) => ({
    label,
    text: text.replace(/\r/g, '').replace(/\n\s*\n/g, '\n'),
  }))
}

/**
 * The blocks alone, each line ended: what HAProxy takes from a file and over its socket, where an empty line would end it. Throws
 * `invalid-request` naming the certificate when there is no certificate or no key in it.
 */
export function normalPem(name: string, pem: unknown): string {
  const blocks = typeof pem === 'string' ? pemBlocks(pem) : []
  const has = (label: RegExp) => blocks.some((one) => label.test(one.label))
  for (const [label, what] of [
    [/^CERTIFICATE$/, 'certificate'],
    [/PRIVATE KEY$/, 'private key'],
  ] as const) {
    if (!has(label)) throw new KitbagError('invalid-request', `certificates.${name}: its PEM text has no ${what}`)
  }
  return blocks.map(({ text }) => `${text}\n`).join('')
}

/** What tells one certificate with its chain from another: the SHA-1 that HAProxy shows of the first, subjects of the others. */
export function identity(pem: string): { fingerprint: string; chain: number } {
  const [leaf, ...chain] = pemBlocks(pem).filter(({ label }) => label === 'CERTIFICATE')
  return { fingerprint: new X509Certificate(leaf?.text ?? '').fingerprint.replaceAll(':', ''), chain: chain.length }
}
