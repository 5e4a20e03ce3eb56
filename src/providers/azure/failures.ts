import { backoff, retry } from '../../lib/retry.ts'
import { KitbagError } from '../../model/errors.ts'

/** What the SDK's errors have in common, wherever they come from. */
interface Failure {
  name?: string
  code?: string
  statusCode?: number
  message?: string
}

/** No machine of this kind can be had there now: another zone or size may have one. */
export const capacityCodes = [
  'AllocationFailed',
  'ZonalAllocationFailed',
  'OverconstrainedAllocationRequest',
  'OverconstrainedZonalAllocationRequest',
  'SkuNotAvailable',
]

const transient = [
  'RetryableError',
  'AnotherOperationInProgress',
  'OperationPreempted',
  'ReferencedResourceNotProvisioned',
  'NicReservedForAnotherVm',
  'InternalExecutionError',
  'InternalOperationError',
]

/** Runs a call, or several, and gives every failure as a KitbagError that says what was being done. */
export async function during<T>(doing: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw toKitbagError(error, doing)
  }
}

/** Milliseconds for which a change is tried again and again before its failure is told: storms of 429 and 503 last about as long. */
const patience = 60_000

/** As `during`, for what may be repeated whole: what the SDK's own few retries do not outlast is waited out. */
export function patiently<T>(doing: string, call: () => Promise<T>): Promise<T> {
  const end = Date.now() + patience
  return retry(() => during(doing, call), {
    attempts: Number.POSITIVE_INFINITY,
    delay: backoff(500, 10_000),
    retryable: (error) => error instanceof KitbagError && error.retryable && Date.now() < end,
  })
}

/** The answer of a read or a removal; undefined where Azure knows nothing of that name. */
export async function found<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call()
  } catch (error) {
    if ((error as Failure).statusCode === 404) return undefined
    throw error
  }
}

export function toKitbagError(error: unknown, doing: string): KitbagError {
  if (error instanceof KitbagError) return error
  const failure = error as Failure
  const { statusCode = 0 } = failure
  const code = codeOf(failure)
  const said = (failure.message ?? String(error)).replace(/\s+/g, ' ').slice(0, 1_000)
  // The SDK's own error holds the request, with its token and a machine's host key.
  const cause = Object.assign(new Error(said), { code, statusCode })
  const fail = (message: string, fix?: string, retryable = false) =>
    new KitbagError('provider-failed', `azure: ${doing}: ${message}`, { cause, retryable, ...(fix && { fix }) })
  if (isRetryable(failure, code)) return fail(said, undefined, true)
  if (/^(Authentication|CredentialUnavailable|AggregateAuthentication)/.test(failure.name ?? '') || statusCode === 401)
    return fail(`the credentials are not accepted: ${said}`, 'Give new ones: kitbag cloud set NAME --credentials FILE.')
  const lacking = lackingPermission(said)
  if (lacking !== undefined)
    return fail(
      `the permission ${lacking.action} is lacking over ${lacking.scope}`,
      'Grant it; kitbag cloud test lists all that are needed, as a role to paste.',
    )
  if (code === 'QuotaExceeded' || code.endsWith('LimitReached') || /\bquota\b/i.test(said))
    return new KitbagError('capacity-exceeded', `azure: ${doing}: ${said}`, {
      cause,
      fix: 'Ask Azure for a higher quota, or destroy machines that are not needed.',
    })
  if (capacityCodes.includes(code))
    return new KitbagError('capacity-exceeded', `azure: ${doing}: ${code}: ${said}`, {
      cause,
      fix: 'Choose other zones, another size, or set otherSizes for this cloud.',
    })
  return fail(code === '' || said.includes(code) ? said : `${code}: ${said}`)
}

/** Of a failed long-running operation it stands in the message only. */
export function codeOf({ code, message = '' }: Failure): string {
  if (code !== undefined && /^[A-Z][A-Za-z]+$/.test(code)) return code
  return /operation has failed\.? ([A-Z][A-Za-z]+)\./.exec(message)?.[1] ?? code ?? ''
}

function isRetryable({ statusCode = 0, message = '', name = '' }: Failure, code: string): boolean {
  if (transient.includes(code)) return true
  if (statusCode === 408 || statusCode === 429 || statusCode >= 500) return true
  if (name.startsWith('Authentication'))
    return /network_error|endpoints_resolution|ECONN|ETIMEDOUT|EAI_AGAIN/.test(message)
  return /^(REQUEST_SEND_ERROR|PARSE_ERROR|E[A-Z_]+)$/.test(code) || name === 'AbortError'
}

function lackingPermission(said: string): { action: string; scope: string } | undefined {
  const match =
    /perform action\(s\) '([^']+)' on the linked scope\(s\) '([^']+)'/.exec(said) ??
    /perform action '([^']+)' over scope '([^']+)'/.exec(said)
  return match ? { action: match[1] ?? '', scope: match[2] ?? '' } : undefined
}
