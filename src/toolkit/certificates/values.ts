import type { CertificateMaterial, CertificateRecord } from '../../model/certificate.ts'
import type { ServiceValue, ToolkitValues, ValuesContext } from '../contract.ts'
import { ensureAuthority, issueInternally } from './authority.ts'
import { isCovered } from './hosts.ts'
import { certificatesIn, hostsOf } from './material.ts'
import { refresh } from './refresh.ts'
import type { CertificatesSpec } from './schema.ts'
import { rowOf, type WantedCertificate, wantedCertificates } from './wanted.ts'

type Context = ValuesContext<CertificatesSpec>

const parts = ['pem', 'chain', 'key', 'ca'] as const

/** From a section as it is written, whatever is wrong with it. */
function outputs(section: unknown): string[] {
  const { certificates } = (section ?? {}) as { certificates?: unknown }
  const names = (Array.isArray(certificates) ? certificates : []).flatMap((one: unknown) => {
    const { name } = (one ?? {}) as { name?: unknown }
    return typeof name === 'string' ? [name] : []
  })
  return ['ca', ...names.flatMap((name) => parts.map((part) => `${name}.${part}`))]
}

/** Rows of the wanted certificates; none where `ensure` has still to make one. */
async function wantedRows({ service, spec, deployment, certificates, now }: Context) {
  const rows = await certificates.list(deployment.id)
  return wantedCertificates(spec).map((wanted) => {
    const row = rowOf(rows, service, wanted)
    return { wanted, row: row && row.notAfter > now ? row : undefined, rows }
  })
}

async function versions(context: Context): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  const authority = await context.certificates.authorityCertificate(context.deployment.id)
  if (authority) found.ca = authority.id
  for (const { wanted, row } of await wantedRows(context)) {
    if (row) for (const part of ['pem', 'chain', 'key']) found[`${wanted.name}.${part}`] = `${row.id} ${row.version}`
    if (authority) found[`${wanted.name}.ca`] = authority.id
  }
  return found
}

async function read(context: Context): Promise<Record<string, ServiceValue>> {
  const { certificates, deployment } = context
  const authority = await certificates.authorityCertificate(deployment.id)
  const values: Record<string, ServiceValue> = {}
  const ca = authority && { value: authority.certificate, secret: false }
  if (ca) values.ca = ca
  for (const { wanted, row } of await wantedRows(context)) {
    if (ca) values[`${wanted.name}.ca`] = ca
    if (!row) continue
    const key = await certificates.keyOf(row.id)
    values[`${wanted.name}.chain`] = { value: row.chain, secret: false }
    values[`${wanted.name}.key`] = { value: key, secret: true }
    values[`${wanted.name}.pem`] = { value: `${row.chain.trimEnd()}\n${key}`, secret: true }
  }
  return values
}

/** So that every wanted certificate is there and valid: the internal ones for good, for others something stands in. */
async function ensure(context: Context & { retry?: true }): Promise<void> {
  const { certificates, deployment, service } = context
  for (const { wanted, row, rows } of await wantedRows(context)) {
    if (row?.standIn && wanted.acme && context.retry) await certificates.update(row.id, { nextTry: context.now })
    if (row) continue
    const material = await firstMaterial(context, wanted, rows)
    const expired = rowOf(rows, service, wanted)
    const { name, purpose } = wanted
    if (expired) await certificates.replace(expired.id, material)
    else await certificates.add(deployment.id, { service, name, purpose, ...material })
  }
  await ensureAuthority(context)
}

async function firstMaterial(
  context: Context,
  wanted: WantedCertificate,
  rows: CertificateRecord[],
): Promise<CertificateMaterial> {
  if (wanted.issuer === 'internal') return issueInternally(context, wanted)
  const nextTry = wanted.acme ? context.now : null
  const other = lastOf(rows, context, wanted)
  if (other) {
    const { chain, notBefore, notAfter } = other
    return { chain, key: await context.certificates.keyOf(other.id), standIn: true, notBefore, notAfter, nextTry }
  }
  const { nextTry: renewal, ...made } = await issueInternally(context, wanted)
  return { ...made, standIn: true, nextTry: nextTry ?? renewal }
}

/** What was served under the name until now, if its issuer gave it and it is for one of the hosts: better than what no client trusts. */
function lastOf(
  rows: CertificateRecord[],
  { service, now }: Context,
  { name, hosts }: WantedCertificate,
): CertificateRecord | undefined {
  return rows
    .filter((row) => row.service === service && row.name === name && !row.standIn && row.notAfter > now)
    .filter(({ chain }) => {
      const [leaf] = certificatesIn(chain)
      return leaf !== undefined && hosts.some((host) => isCovered(host, hostsOf(leaf)))
    })
    .sort((a, b) => b.notAfter.getTime() - a.notAfter.getTime())[0]
}

/** The earliest next try of a certificate that the release wants. */
async function due({ service, spec, deployment, certificates }: Context): Promise<Date | null> {
  const rows = await certificates.list(deployment.id)
  const times = wantedCertificates(spec).flatMap((wanted) => rowOf(rows, service, wanted)?.nextTry?.getTime() ?? [])
  return times.length === 0 ? null : new Date(Math.min(...times))
}

export const values: ToolkitValues<CertificatesSpec> = { outputs, versions, read, ensure, due, refresh }
