import { X509Certificate } from 'node:crypto'
import { z } from 'zod'
import type { CertificateRecord } from '../../model/certificate.ts'
import { KitbagError } from '../../model/errors.ts'
import type { MadeRows, ReadContext, ToolkitRoute } from '../contract.ts'
import { datesOf } from './authority.ts'
import { certificatesIn, faultOf, hostsOf } from './material.ts'
import type { CertificatesSpec } from './schema.ts'
import { rowOf, type WantedCertificate, wantedCertificates } from './wanted.ts'

type Route = ToolkitRoute<CertificatesSpec>
type Context = ReadContext<CertificatesSpec>

const certificateSchema = z.object({
  name: z.string(),
  issuer: z.string().describe('As the blueprint has it'),
  state: z
    .enum(['current', 'stand-in', 'failing', 'expired'])
    .describe(
      'stand-in: another one is served until the issuer has given its own; failing: the last renewal failed, the one before is served',
    ),
  subject: z.string(),
  signedBy: z.string().describe('Who signed what is served'),
  hosts: z.string().describe('What is served is for these'),
  notBefore: z.iso.datetime(),
  notAfter: z.iso.datetime(),
  nextTry: z.iso.datetime().nullable().describe('When the next one is to be had; null: only by an upload'),
  failures: z.int().describe('Failed tries in a row'),
  error: z.string().describe('Why the last try failed; empty when it did not'),
  fingerprint: z.string().describe('SHA-256'),
  version: z.int(),
})

function stateOf({ notAfter, standIn, error }: CertificateRecord): z.output<typeof certificateSchema>['state'] {
  if (notAfter <= new Date()) return 'expired'
  if (standIn) return 'stand-in'
  return error === null ? 'current' : 'failing'
}

const oneLine = (name: string | undefined): string => (name ?? '').replaceAll('\n', ', ')

function present({ name, issuer }: WantedCertificate, row: CertificateRecord): z.output<typeof certificateSchema> {
  const leaf = new X509Certificate(row.chain)
  return {
    name,
    issuer,
    state: stateOf(row),
    subject: oneLine(leaf.subject),
    signedBy: oneLine(leaf.issuer),
    hosts: hostsOf(leaf).join(', '),
    notBefore: row.notBefore.toISOString(),
    notAfter: row.notAfter.toISOString(),
    nextTry: row.nextTry?.toISOString() ?? null,
    failures: row.failures,
    error: row.error ?? '',
    fingerprint: leaf.fingerprint256,
    version: row.version,
  }
}

/** Where certificates are kept. */
function madeOf({ made }: Context): MadeRows {
  if (made) return made
  throw new KitbagError('internal', 'certificates without their rows')
}

/** The certificate of a path with its row. Throws `not-found` naming those there are. */
async function find(context: Context, name = '') {
  const { service, spec } = context
  const { deployment, certificates } = madeOf(context)
  const all = wantedCertificates(spec)
  const wanted = all.find((candidate) => candidate.name === name)
  if (!wanted) {
    const known = all.map((candidate) => candidate.name).join(', ')
    throw new KitbagError('not-found', `there is no certificate ${name}; there are: ${known}`)
  }
  const row = rowOf(await certificates.list(deployment.id), service, wanted)
  if (row) return { wanted, row }
  throw new KitbagError('not-found', `the certificate ${name} was not made yet`, {
    fix: 'Deploy, or wait for it to end.',
  })
}

const list: Route = {
  id: 'list',
  method: 'get',
  path: '/certificates',
  summary: 'Certificates, with what is served and when they are renewed',
  response: z.object({ certificates: z.array(certificateSchema) }),
  cli: [{ name: 'list', summary: 'Show certificates and their state' }],
  async read(context) {
    const { service, spec } = context
    const { deployment, certificates } = madeOf(context)
    const rows = await certificates.list(deployment.id)
    return {
      certificates: wantedCertificates(spec).flatMap((wanted) => {
        const row = rowOf(rows, service, wanted)
        return row ? [present(wanted, row)] : []
      }),
    }
  },
}

const get: Route = {
  id: 'get',
  method: 'get',
  path: '/certificates/{certificate}',
  summary: 'One certificate, with the chain that is served',
  response: certificateSchema.extend({ chain: z.string().describe('PEM, the certificate itself first') }),
  cli: [{ name: 'show', summary: 'Print the chain of a certificate in PEM', text: 'chain' }],
  async read(context, { certificate }) {
    const { wanted, row } = await find(context, certificate)
    return { ...present(wanted, row), chain: row.chain }
  },
}

const upload: Route = {
  id: 'upload',
  method: 'put',
  path: '/certificates/{certificate}',
  summary: 'Gives a certificate whose issuer is `upload`, with its key; machines have it at once',
  body: z.strictObject({
    certificate: z.string().min(1).max(200_000).describe('PEM, with the certificates that signed it'),
    key: z.string().min(1).max(50_000).describe('PEM, without a passphrase'),
  }),
  response: z.object({}),
  cli: [
    {
      name: 'upload',
      summary: 'Give a certificate: --certificate FILE --key FILE',
      files: ['certificate', 'key'],
    },
  ],
  async act(context, { certificate: name }, body) {
    const { wanted, row } = await find(context, name)
    if (wanted.issuer !== 'upload')
      throw new KitbagError('conflict', `the certificate ${name} comes from its issuer ${wanted.issuer}`, {
        fix: 'Give it `issuer: upload` in the blueprint and deploy.',
      })
    const { certificate, key } = body as { certificate: string; key: string }
    const fault = faultOf(certificate, key, wanted.hosts, new Date())
    if (fault !== undefined) throw new KitbagError('invalid-request', `the certificate ${name} is refused: ${fault}`)
    const chain = certificatesIn(certificate).map(String).join('')
    await madeOf(context).certificates.replace(row.id, {
      chain,
      key,
      standIn: false,
      nextTry: null,
      ...validity(chain),
    })
  },
}

function validity(chain: string): { notBefore: Date; notAfter: Date } {
  const { notBefore, notAfter } = datesOf(chain)
  return { notBefore, notAfter }
}

const renew: Route = {
  id: 'renew',
  method: 'post',
  path: '/certificates/{certificate}/renewals',
  summary: 'Renews a certificate now; the operation fails when its issuer does not give one',
  response: z.object({}),
  cli: [{ name: 'renew', summary: 'Renew a certificate now' }],
  async act(context, { certificate: name }) {
    const { wanted, row } = await find(context, name)
    if (wanted.issuer === 'upload')
      throw new KitbagError('conflict', `the certificate ${name} was uploaded, and is renewed in the same way`, {
        fix: 'Upload the new one: kitbag certificates upload.',
      })
    await madeOf(context).certificates.update(row.id, { nextTry: new Date() })
    return row.id
  },
}

const authority: Route = {
  id: 'authority',
  method: 'get',
  path: '/authority',
  summary: "The certificate of the deployment's own authority, for clients to trust",
  response: z.object({
    subject: z.string(),
    notAfter: z.iso.datetime(),
    fingerprint: z.string().describe('SHA-256'),
    certificate: z.string().describe('PEM'),
  }),
  cli: [{ name: 'ca', summary: "Print the certificate of the deployment's own authority", text: 'certificate' }],
  async read(context) {
    const { deployment, certificates } = madeOf(context)
    const found = await certificates.authorityCertificate(deployment.id)
    if (!found)
      throw new KitbagError('not-found', 'there is no authority yet', { fix: 'Deploy, or wait for it to end.' })
    const { subject, fingerprint256: fingerprint } = new X509Certificate(found.certificate)
    const notAfter = datesOf(found.certificate).notAfter.toISOString()
    return { subject: oneLine(subject), notAfter, fingerprint, certificate: found.certificate }
  },
}

export const routes: Route[] = [list, get, upload, renew, authority]
