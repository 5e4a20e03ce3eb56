import { X509Certificate } from 'node:crypto'
import type { CertificateAuthority, CertificateMaterial, CertificateStore } from '../../model/certificate.ts'
import { renewalTime } from './wanted.ts'
import { issueLeaf, makeAuthority } from './x509.ts'

const day = 86_400_000
/** Of the authority: machines are long gone before. */
const authorityLifetime = 3650 * day
/** Of what it issues, as Let's Encrypt has it. */
const leafLifetime = 90 * day

interface Target {
  deployment: { id: string; name: string }
  certificates: CertificateStore
  now: Date
}

/** The deployment's own authority, made at the first call. */
export function ensureAuthority({ deployment, certificates, now }: Target): Promise<CertificateAuthority> {
  const name = `Kitbag ${deployment.name}`
  return certificates.authority(deployment.id, () => makeAuthority(name, authorityLifetime, now))
}

/** A certificate of the deployment's own authority. */
export async function issueInternally(
  { deployment, certificates, now }: Target,
  { name, hosts }: { name: string; hosts: string[] },
): Promise<CertificateMaterial> {
  const authority = await ensureAuthority({ deployment, certificates, now })
  const { notAfter: until, subject } = datesOf(authority.certificate)
  const { certificate, key } = issueLeaf({ ...authority, name: subject, until }, { hosts, lifetime: leafLifetime, now })
  const { notBefore, notAfter } = datesOf(certificate)
  return {
    chain: certificate,
    key,
    standIn: false,
    notBefore,
    notAfter,
    nextTry: renewalTime(name, notBefore, notAfter),
  }
}

/** From when until when the first certificate of a PEM text is valid, and its common name. */
export function datesOf(pem: string): { notBefore: Date; notAfter: Date; subject: string } {
  const { validFrom, validTo, subject } = new X509Certificate(pem)
  return {
    notBefore: new Date(validFrom),
    notAfter: new Date(validTo),
    subject: /^CN=(.*)$/m.exec(subject ?? '')?.[1] ?? '',
  }
}
