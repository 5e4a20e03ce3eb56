import { X509Certificate } from 'node:crypto'
import { z } from 'zod'
import { strict } from '../../lib/fields.ts'
import { componentNameSchema } from '../../model/ids.ts'
import { isReference, type Value } from '../../model/value.ts'
import { readHost } from './hosts.ts'

/** Issuers that there always are. */
export const builtIn = ['internal', 'upload'] as const

const host = z.string().transform((text, context) => {
  const read = readHost(text)
  if (read !== undefined) return read
  context.addIssue({
    code: 'custom',
    message: 'must be a host name such as www.shop.example, *.shop.example or an address',
  })
  return z.NEVER
})

const certificates = z
  .string()
  .max(100_000)
  .refine((text) => {
    try {
      return text.includes('-----BEGIN CERTIFICATE-----') && new X509Certificate(text) !== undefined
    } catch {
      return false
    }
  }, 'must be certificates in PEM')

const acmeField = strict({
  directory: z
    .url({ protocol: /^https$/, error: 'must be a URL that begins with https://' })
    .max(1000)
    .describe('URL of its directory, such as https://acme-v02.api.letsencrypt.org/directory'),
  email: z.email('must be an address such as ops@shop.example').max(320).optional().describe('Where it writes to'),
  challenge: z
    .enum(['dns-01', 'http-01'])
    .default('dns-01')
    .describe(
      "How hosts are proved: dns-01 by a record in the deployment's own DNS, also for wildcards; http-01 by its load balancer on port 80",
    ),
  eab: strict({
    keyId: z.string().min(1).max(1000).describe('As the authority gave it'),
    hmacKey: z
      .custom<Value>((value) => isReference(value), 'must be a secret such as ${secrets.EAB_KEY}')
      .describe('Its key in base64url, by reference: ${secrets.EAB_KEY}'),
  })
    .optional()
    .describe('External account binding, where an authority asks for it'),
  trust: certificates.optional().describe('PEM of the authorities to trust in its https, for a private server'),
})

const issuerField = strict({
  name: componentNameSchema.refine(
    (name) => !(builtIn as readonly string[]).includes(name),
    'is the name of a built-in issuer',
  ),
  acme: acmeField.describe('A certificate authority that speaks ACME (RFC 8555)'),
})

const certificateField = strict({
  name: componentNameSchema.describe('What others refer to: ${certificates.NAME.pem}'),
  hosts: z.array(host).min(1, 'at least one host').max(100).describe('Names and addresses that it is for'),
  issuer: z
    .string()
    .default('internal')
    .describe(
      '`internal`: an authority of the deployment itself; `upload`: given by `kitbag certificates upload`; or an issuer',
    ),
})

export const certificatesSchema = strict({
  issuers: z.array(issuerField).max(20).default([]).describe('Certificate authorities'),
  certificates: z.array(certificateField).min(1, 'at least one certificate').max(200),
})

export type CertificatesSpec = z.output<typeof certificatesSchema>
export type CertificateSpec = CertificatesSpec['certificates'][number]
export type AcmeSpec = CertificatesSpec['issuers'][number]['acme']
