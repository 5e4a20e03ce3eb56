import type { EC2Client } from '@aws-sdk/client-ec2'

/**
 * Refuses what is not EC2's: to the SDK the page of a proxy that wants a login is an answer that says nothing, and nothing would mean
 * that there are no machines.
 */
export function refuseForeignAnswers(client: EC2Client): void {
  client.middlewareStack.add(
    (next) => async (request) => {
      const result = await next(request)
      const { headers, statusCode } = result.response as { headers: Record<string, string>; statusCode: number }
      const type = headers['content-type'] ?? 'no type'
      if (!/\bxml\b/i.test(type)) throw new Error(`status ${statusCode} with content of ${type}, not XML`)
      return result
    },
    // Before the SDK reads it.
    { step: 'deserialize', priority: 'low', name: 'refuseForeignAnswers' },
  )
}
