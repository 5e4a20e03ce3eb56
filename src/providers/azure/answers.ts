import type { PipelinePolicy, PipelineResponse } from '@azure/core-rest-pipeline'
import { isForbiddenHost } from '../../lib/endpoint-host.ts'
import { KitbagError } from '../../model/errors.ts'

/** Of one call whose answers are no answers of Azure's: HTML of a proxy, JSON cut short, a redirect. */
const attempts = 3

/** Milliseconds that one request may take. */
const timeout = 60_000

/**
 * Takes nothing for an answer but what Azure answers with. Every call of this driver may be repeated, so a bad answer is asked for again.
 * The next page and the state of an operation are asked for where an answer says: never at a metadata address.
 */
export const soundAnswers: PipelinePolicy = {
  name: 'soundAnswers',
  async sendRequest(request, next) {
    request.timeout = timeout
    refuseForbidden(request.url)
    for (let attempt = 1; ; attempt++) {
      const response = await next(request)
      const fault = faultOf(response)
      if (fault === undefined && response.status === 403) throw refusalOf(response)
      if (fault === undefined) return response
      if (attempt < attempts) continue
      const { host, pathname } = new URL(request.url)
      throw new KitbagError('provider-failed', `${host} answered ${request.method} ${pathname} with ${fault}`, {
        retryable: true,
        fix: 'See what is between here and Azure: a proxy, or an endpoint that is not the Resource Manager.',
      })
    }
  },
}

/** Throws `provider-failed` when an address that Azure named is one that no token may be sent to. */
export function refuseForbidden(url: string): void {
  const { host, hostname } = new URL(url)
  if (!isForbiddenHost(hostname)) return
  throw new KitbagError(
    'provider-failed',
    `an answer names the link-local or metadata address ${host}; nothing was sent there`,
    {
      fix: 'See what is between here and Azure: a proxy, or an endpoint that is not the Resource Manager.',
    },
  )
}

/** With the words that name the missing permission: of a list that is refused the SDK's own error has the status alone. */
function refusalOf({ status, bodyAsText }: PipelineResponse): Error {
  const { error = {} } = (isJson(bodyAsText) ? JSON.parse(bodyAsText) : {}) as {
    error?: { code?: string; message?: string }
  }
  const { code, message = 'it is forbidden' } = error
  return Object.assign(new Error(message), { name: 'RestError', statusCode: status, code })
}

function faultOf({ status, headers, bodyAsText }: PipelineResponse): string | undefined {
  if (status >= 300 && status < 400) return `a redirect to ${headers.get('location') ?? 'nowhere'}`
  if (!bodyAsText) return undefined
  const type = headers.get('content-type') ?? ''
  if (!/\bjson\b/i.test(type)) return status < 400 ? `${type || 'something'}, not JSON` : undefined
  return isJson(bodyAsText) ? undefined : 'JSON that ends too early'
}

function isJson(text: string | null | undefined): text is string {
  try {
    JSON.parse(text ?? '')
    return true
  } catch {
    return false
  }
}
