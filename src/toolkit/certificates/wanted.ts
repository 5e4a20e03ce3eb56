import { createHash } from 'node:crypto'
import { digestOf } from '../../lib/digest.ts'
import type { CertificateRecord } from '../../model/certificate.ts'
import type { AcmeSpec, CertificateSpec, CertificatesSpec } from './schema.ts'

/** Parts of its lifetime after which a certificate is renewed: two thirds, as Let's Encrypt asks for. */
const renewAfter = 2 / 3
/** Part of the lifetime over which renewals of different certificates are spread. */
const spread = 0.05

/** A certificate of a release, with the authority that it is from. */
export interface WantedCertificate extends CertificateSpec {
  /** Absent: `internal`, or `upload`. */
  acme?: AcmeSpec
  purpose: string
}

export function wantedCertificates({ certificates, issuers }: CertificatesSpec): WantedCertificate[] {
  return certificates.map((certificate) => {
    const acme = issuers.find(({ name }) => name === certificate.issuer)?.acme
    const hosts = [...new Set(certificate.hosts)].sort()
    const purpose = digestOf({ issuer: acme ? { directory: acme.directory } : certificate.issuer, hosts })
    return { ...certificate, hosts: [...new Set(certificate.hosts)], ...(acme && { acme }), purpose }
  })
}

/** The row of a wanted certificate. */
export function rowOf(
  rows: CertificateRecord[],
  service: string,
  { name, purpose }: WantedCertificate,
): CertificateRecord | undefined {
  return rows.find((row) => row.service === service && row.name === name && row.purpose === purpose)
}

/** When a certificate is renewed: each at its own time, the same whenever it is asked. */
export function renewalTime(seed: string, notBefore: Date, notAfter: Date): Date {
  const lifetime = notAfter.getTime() - notBefore.getTime()
  const share = createHash('sha256').update(seed).digest().readUInt32BE(0) / 2 ** 32
  return new Date(notBefore.getTime() + lifetime * (renewAfter - spread * share))
}

/** Whether there is something to do about a certificate. */
export function isDue({ nextTry }: Pick<CertificateRecord, 'nextTry'>, now: Date): boolean {
  return nextTry !== null && nextTry <= now
}
