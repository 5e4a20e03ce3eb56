import { sleep } from '../../lib/clock.ts'
import { digestOf } from '../../lib/digest.ts'
import type { CertificateMaterial, CertificateRecord } from '../../model/certificate.ts'
import { KitbagError, type KitbagErrorOptions } from '../../model/errors.ts'
import { isReference } from '../../model/value.ts'
import type { RefreshContext, Refreshed } from '../contract.ts'
import { type AcmeClient, AcmeRefusal, createAcmeClient } from './acme/client.ts'
import { orderCertificate } from './acme/order.ts'
import { datesOf, issueInternally } from './authority.ts'
import { faultOf } from './material.ts'
import type { AcmeSpec, CertificatesSpec } from './schema.ts'
import { isDue, renewalTime, rowOf, type WantedCertificate, wantedCertificates } from './wanted.ts'
import { generateKey } from './x509.ts'

type Context = RefreshContext<CertificatesSpec>

/** Milliseconds for which a certificate is one worker's; prolonged while it works. */
const claimTime = 30_000
/** Milliseconds that one order may take. */
const orderTime = 300_000
/** Milliseconds between two tries, at most. */
const longestRetry = 3_600_000

/** Gets every certificate that is due, side by side; failures are kept with their certificate, and when it is tried again. */
export async function refresh(context: Context): Promise<Refreshed> {
  const { service, spec, deployment, certificates, now } = context
  const rows = await certificates.list(deployment.id)
  const due = wantedCertificates(spec).flatMap((wanted) => {
    const row = rowOf(rows, service, wanted)
    return row && (isDue(row, now) || hasFailed(context, row)) ? [{ wanted, row }] : []
  })
  // Nothing goes on in the background when one of them meets what nobody expected.
  const outcomes = await Promise.allSettled(due.map(({ wanted, row }) => refreshOne(context, wanted, row)))
  const failures = outcomes.flatMap((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason
    return outcome.value ?? []
  })
  return { changed: outcomes.length - failures.length, failures }
}

/** Whether it is the one that was asked for, and a try that was under way then has put it off. One that was renewed since has no failures. */
function hasFailed({ asked }: Context, { id, failures }: CertificateRecord): boolean {
  return id === asked && failures > 0
}

/** Gives the failure, which is stored, rather than throwing it. */
async function refreshOne(
  context: Context,
  wanted: WantedCertificate,
  row: CertificateRecord,
): Promise<KitbagError | undefined> {
  const { certificates, owner, signal } = context
  while (!(await certificates.claim(row.id, owner, claimTime))) await sleep(500, signal)
  const over = new AbortController()
  const prolonging = setInterval(() => {
    certificates.claim(row.id, owner, claimTime).then(
      (mine) => mine || over.abort(new Error('another worker has taken the certificate over')),
      () => undefined,
    )
  }, claimTime / 3)
  try {
    // Whoever had it before may have done it.
    const current = await certificates.get(row.id)
    if (!current) return undefined
    if (!isDue(current, context.now)) {
      if (current.failures > row.failures) return toldFailure(wanted, current)
      if (!hasFailed(context, current)) return undefined
    }
    const limit = AbortSignal.timeout(orderTime)
    const all = AbortSignal.any([signal, over.signal, limit])
    try {
      await context.tell(`the certificate ${wanted.name}: asking ${wanted.issuer}`)
      const material = await obtain({ ...context, signal: all }, wanted, current)
      await certificates.replace(row.id, material)
      await context.tell(`the certificate ${wanted.name} is good until ${material.notAfter.toISOString()}`)
      return undefined
    } catch (error) {
      signal.throwIfAborted()
      return await failed(context, wanted, current, limit.aborted ? outOfTime() : error)
    }
  } finally {
    clearInterval(prolonging)
    await certificates.release(row.id, owner)
  }
}

function outOfTime(): KitbagError {
  return new KitbagError('service-failed', `the authority did not come to an end within ${orderTime / 60_000} minutes`)
}

/** What is said of a failure that is stored. */
function toldFailure(
  { name }: WantedCertificate,
  { error, nextTry }: Pick<CertificateRecord, 'error' | 'nextTry'>,
  options: KitbagErrorOptions = {},
): KitbagError {
  const message = `the certificate ${name}: ${error}; tried again at ${nextTry?.toISOString()}`
  return new KitbagError('service-failed', message, options)
}

/**
 * Milliseconds until the next try after `failures` failures before this one: doubling, an hour at most, and with a quarter of the time
 * that is left at most; but five times an hour is as often as Let's Encrypt bears.
 */
export function retryDelay({ failures, retry, left }: { failures: number; retry: number; left: number }): number {
  const most = Math.min(longestRetry, Math.max(left / 4, retry * 6))
  return Math.min(most, retry * 2 ** failures)
}

async function failed(
  { certificates, retry }: Context,
  wanted: WantedCertificate,
  { id, failures, notAfter }: CertificateRecord,
  error: unknown,
): Promise<KitbagError> {
  if (!(error instanceof KitbagError)) throw error
  const told = error instanceof AcmeRefusal ? (error.retryAfter ?? 0) : 0
  const delay = Math.max(told, retryDelay({ failures, retry, left: notAfter.getTime() - Date.now() }))
  const change = { failures: failures + 1, error: error.message, nextTry: new Date(Date.now() + delay) }
  await certificates.update(id, change)
  return toldFailure(wanted, change, { cause: error, ...(error.fix !== undefined && { fix: error.fix }) })
}

async function obtain(
  context: Context,
  wanted: WantedCertificate,
  row: CertificateRecord,
): Promise<CertificateMaterial> {
  const { acme, issuer, hosts } = wanted
  if (!acme) {
    const made = await issueInternally(context, wanted)
    return { ...made, standIn: issuer === 'upload' }
  }
  const client = await clientFor(context, acme)
  const { certificates } = context
  const key = await certificates.orderKey(row.id)
  const { chain, key: ownKey } = await orderCertificate(client, {
    hosts,
    challenge: acme.challenge,
    order: row.order && key !== undefined ? { ...row.order, key } : undefined,
    saveOrder: (order) => certificates.setOrder(row.id, order),
    show: (challenges) => context.show(row.id, challenges),
    signal: context.signal,
  })
  const { notBefore, notAfter } = datesOf(chain)
  // Its clock may be ahead of this one.
  const fault = faultOf(chain, ownKey, hosts, new Date(Math.max(Date.now(), notBefore.getTime())))
  if (fault !== undefined) {
    await certificates.setOrder(row.id, null)
    throw new KitbagError('service-failed', `what the authority gave is of no use: ${fault}`, { retryable: true })
  }
  return { chain, key: ownKey, standIn: false, notBefore, notAfter, nextTry: renewalTime(row.id, notBefore, notAfter) }
}

/** One with an account that is registered: the stored one, made anew where the authority has forgotten it. */
async function clientFor(context: Context, { directory, email, eab, trust }: AcmeSpec): Promise<AcmeClient> {
  const { certificates, deployment, secret, signal } = context
  const name = digestOf({ directory, email: email ?? null, eab: eab?.keyId ?? null })
  const account = await certificates.account(deployment.tenantId, name, () => generateKey().pem)
  const client = createAcmeClient({ directory, trust, signal }, account.key, account.url)
  if (account.url !== null && (await isKnown(client, account.url))) return client
  const binding = eab && { keyId: eab.keyId, hmacKey: isReference(eab.hmacKey) ? await secret(eab.hmacKey.$ref) : '' }
  await certificates.setAccountUrl(deployment.tenantId, name, await client.register(email, binding))
  return client
}

async function isKnown(client: AcmeClient, url: string): Promise<boolean> {
  try {
    await client.post(url)
    return true
  } catch (error) {
    if (error instanceof AcmeRefusal && (error.type === 'accountDoesNotExist' || error.type === 'unauthorized'))
      return false
    throw error
  }
}
