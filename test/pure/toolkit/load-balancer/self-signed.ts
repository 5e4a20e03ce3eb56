import { execFileSync } from 'node:child_process'

/** A certificate for these names, with its key, as one PEM text; made by openssl, valid for `days`. */
export function selfSigned(
  name: string,
  { others = [], days = 10 }: { others?: string[]; days?: number } = {},
): string {
  const names = [name, ...others].map((one) => `DNS:${one}`).join(',')
  const wanted = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}`]
  const args = [
    'req',
    '-x509',
    ...wanted,
    '-addext',
    `subjectAltName=${names}`,
    '-days',
    String(days),
    '-keyout',
    '-',
    '-out',
    '-',
  ]
  return execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] }).toString()
}
