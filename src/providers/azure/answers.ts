import type { PipelinePolicy, PipelineResponse } from '@azure/core-rest-pipeline'
import { KitbagError } from '../../model/errors.ts'

/** Of one call whose answers are no answers of Azure's: HTML of a proxy, JSON cut short, a redirect. */
const attempts = 3

/** Milliseconds that one request may take. */
const timeout = 60_000

/** Takes nothing for an answer but what Azure answers with. Every call of this driver may be repeated, so a bad answer is asked for again. */
export const soundAnswers: PipelinePolicy = {
  name: 'soundAnswers',
  async sendRequest(request, next) {
    request.timeout = timeout
    for (let attempt = 1; ; attempt++) {
      const response = await next(request)
      const fault = faultOf(response)
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

function faultOf({ status, headers, bodyAsText }: PipelineResponse): string | undefined {
  if (status >= 300 && status < 400) return `a redirect to ${headers.get('location') ?? 'nowhere'}`
  if (!bodyAsText) return undefined
  const type = headers.get('content-type') ?? ''
  if (!/\bjson\b/i.test(type)) return status < 400 ? `${type || 'something'}, not JSON` : undefined
  try {
    JSON.parse(bodyAsText)
    return undefined
  } catch {
    return 'JSON that ends too early'
  }
}
