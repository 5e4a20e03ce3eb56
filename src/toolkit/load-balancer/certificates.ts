import type { MachineAccess } from '../../model/machine.ts'
import type { Reach } from '../../model/reach.ts'
import { identity } from './certificate-text.ts'
import { type ConfiguredCertificate, certificateFile } from './configuration.ts'
import { change, command } from './runtime-socket.ts'

/** A certificate that one node's process shows to clients. */
export interface CertificateInForce {
  subject: string
  issuer: string
  /** Host names that it is good for. */
  names: string[]
  /** ISO 8601. */
  notBefore: string
  notAfter: string
  /** SHA-1 over all of it, hexadecimal. */
  fingerprint: string
  /** Certificates after the first. */
  chain: number
}

/** What the running process has under this name; undefined: none. Throws as `command`. */
export async function certificateInForce(
  reach: Reach,
  node: MachineAccess,
  name: string,
): Promise<CertificateInForce | undefined> {
  const answer = await command(reach, node, `show ssl cert ${certificateFile(name)}`)
  const field = (word: string) => new RegExp(`^${word}: *(.*)$`, 'm').exec(answer)?.[1]?.trim() ?? ''
  const fingerprint = field('SHA1 FingerPrint')
  if (fingerprint === '') return undefined
  return {
    subject: field('Subject'),
    issuer: field('Issuer'),
    names: field('Subject Alternative Name')
      .split(/,\s*/)
      .filter((text) => text.startsWith('DNS:'))
      .map((text) => text.slice('DNS:'.length)),
    notBefore: new Date(field('notBefore')).toISOString(),
    notAfter: new Date(field('notAfter')).toISOString(),
    fingerprint,
    chain: [...answer.matchAll(/^Chain Subject:/gm)].length,
  }
}

/** Certificates that the running process does not show as they are now. Throws as `command`. */
export async function staleCertificates(
  reach: Reach,
  node: MachineAccess,
  certificates: ConfiguredCertificate[],
): Promise<ConfiguredCertificate[]> {
  const stale: ConfiguredCertificate[] = []
  for (const certificate of certificates) {
    const wanted = identity(certificate.pem)
    const found = await certificateInForce(reach, node, certificate.name)
    if (found?.fingerprint !== wanted.fingerprint || found.chain !== wanted.chain) stale.push(certificate)
  }
  return stale
}

/** Brings renewed certificates into force in the running process: open connections go on, new ones get the new certificate. */
export async function changeCertificates(
  reach: Reach,
  node: MachineAccess,
  certificates: ConfiguredCertificate[],
): Promise<void> {
  for (const { name, pem } of await staleCertificates(reach, node, certificates)) {
    const file = certificateFile(name)
    // One that was begun and not ended, by a control plane that died meanwhile, would be in the way.
    await command(reach, node, `abort ssl cert ${file}`)
    await change(reach, node, `set ssl cert ${file} <<\n${pem}`)
    await change(reach, node, `commit ssl cert ${file}`)
  }
}
