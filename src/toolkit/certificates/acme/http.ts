import type { IncomingHttpHeaders } from 'node:http'
import { request } from 'node:https'
import { rootCertificates } from 'node:tls'
import { KitbagError } from '../../../model/errors.ts'

/** Milliseconds for one request. */
const timeout = 20_000
/** Bytes of an answer; a chain has some thousand. */
const mostBody = 1024 * 1024

export interface Trust {
  /** PEM of authorities beside the public ones. */
  trust?: string | undefined
  signal?: AbortSignal | undefined
}

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
  /** undefined: it is none. */
  json: unknown
  /** Milliseconds, where the answer said when to ask again. */
  retryAfter: number | undefined
}

/** One https request. Throws `service-failed` (retryable) when there is no answer. */
export async function ask({ trust, signal }: Trust, method: string, url: string, body?: string): Promise<Answer> {
  signal?.throwIfAborted()
  const limit = AbortSignal.timeout(timeout)
  try {
    return await new Promise<Answer>((resolve, reject) => {
      const asked = request(
        url,
        {
          method,
          headers: { 'user-agent': 'kitbag', ...(body !== undefined && { 'content-type': 'application/jose+json' }) },
          ...(trust && { ca: [...rootCertificates, trust] }),
          signal: signal ? AbortSignal.any([signal, limit]) : limit,
          agent: false,
        },
        (answer) => {
          const chunks: Buffer[] = []
          let size = 0
          answer.on('data', (chunk: Buffer) => {
            size += chunk.length
            if (size > mostBody) answer.destroy(new Error(`more than ${mostBody} bytes`))
            else chunks.push(chunk)
          })
          answer.on('error', reject)
          answer.on('end', () => {
            const text = Buffer.concat(chunks).toString()
            const { statusCode: status = 0, headers } = answer
            resolve({ status, headers, text, json: jsonOf(text), retryAfter: retryAfterOf(headers['retry-after']) })
          })
        },
      )
      asked.on('error', reject)
      asked.end(body)
    })
  } catch (cause) {
    signal?.throwIfAborted()
    const reason = limit.aborted ? `no answer within ${timeout / 1000} s` : reasonOf(cause)
    throw new KitbagError('service-failed', `${new URL(url).host} does not answer: ${reason}`, {
      retryable: true,
      cause,
    })
  }
}

function reasonOf(error: unknown): string {
  const { message, code } = error as Error & { code?: string }
  return message || code || String(error)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** RFC 9110, 10.2.3: seconds, or a date. */
export function retryAfterOf(header: string | undefined, now = Date.now()): number | undefined {
  if (header === undefined) return undefined
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined
}
