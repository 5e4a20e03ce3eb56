import { createHash } from 'node:crypto'

/** What an answer is: status and text. */
export interface Answer {
  status: number
  text: string
}

export const answerError = (code: string, message: string, status = 400): Answer => ({
  status,
  text: `<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors><RequestID>test</RequestID></Response>`,
})

/** EC2's ClientToken: the same token and request give the first answer; another request, or an ended machine, an error. */
export function clientTokens() {
  const known = new Map<string, { digest: string; answer: Promise<Answer>; instance?: string }>()
  return {
    /** Runs a request unless its token has been answered before. `ended` tells whether an instance is terminated. */
    async run(
      parameters: URLSearchParams,
      ended: (id: string) => boolean,
      work: () => Promise<Answer>,
    ): Promise<Answer> {
      const token = parameters.get('ClientToken')
      if (!token) return work()
      const sorted = [...parameters].sort(([a], [b]) => (a < b ? -1 : 1))
      const digest = createHash('sha256').update(JSON.stringify(sorted)).digest('hex')
      const found = known.get(token)
      if (found) {
        await found.answer
        if (found.digest !== digest)
          return answerError('IdempotentParameterMismatch', 'the token was used for another request')
        if (found.instance !== undefined && ended(found.instance))
          return answerError('IdempotentInstanceTerminated', 'the instance of this token has been terminated')
        return found.answer
      }
      const entry: { digest: string; answer: Promise<Answer>; instance?: string } = { digest, answer: work() }
      known.set(token, entry)
      const { status, text } = await entry.answer
      // Only what was made is remembered.
      if (status !== 200) known.delete(token)
      else {
        const id = /<instanceId>(i-[0-9a-f]+)</.exec(text)?.[1]
        if (id !== undefined) entry.instance = id
      }
      return entry.answer
    },
  }
}
