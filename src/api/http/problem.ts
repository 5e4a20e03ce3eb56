import { HTTPException } from 'hono/http-exception'
import { type ErrorRecord, errorRecord, KitbagError } from '../../model/errors.ts'
import { type ProblemDetails, problemDetailsOf } from '../../model/problem.ts'

const statusText: Record<number, string> = { 415: 'The body is of a type that this route does not read.' }

/** RFC 9457: any thrown value as what the client is told. What is not a KitbagError says nothing of the inside. */
export function problemDetails(error: unknown): ProblemDetails {
  if (error instanceof HTTPException) return fromHttpException(error)
  const known = error instanceof KitbagError
  const record: ErrorRecord = known
    ? errorRecord(error)
    : {
        code: 'internal',
        message: 'Something went wrong inside the control plane.',
        fix: 'Its log says what: look for this time.',
      }
  return problemDetailsOf(record)
}

export function problemResponse(details: ProblemDetails, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(details), {
    status: details.status,
    headers: { 'content-type': 'application/problem+json', ...headers },
  })
}

function fromHttpException({ status, message }: HTTPException): ProblemDetails {
  const code = status === 404 ? 'not-found' : 'invalid-request'
  return problemDetailsOf({ code, message: statusText[status] ?? message }, status)
}
