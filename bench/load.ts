import { Agent, request } from 'node:http'
import { request as requestSecurely, Agent as SecureAgent } from 'node:https'

export interface LoadResult {
  total: number
  failed: number
  /** Reason -> how often; at most 20 different ones. */
  failures: Record<string, number>
  /** `x-served-by` -> answers. */
  servedBy: Record<string, number>
  /** `x-release` -> answers. */
  releases: Record<string, number>
  /** When each release first answered, epoch ms. */
  firstSeen: Record<string, number>
}

export interface LoadOptions {
  connections: number
  keepAlive: boolean
  /** For https: authorities that are trusted (PEM), and the name that is asked for. Other certificates count as failed. */
  tls?: { ca: string[]; servername: string }
}

export interface Load {
  result: LoadResult
  /** Ends when at least `minimum` requests were answered since the start, and all that are under way are in. */
  stop(minimum?: number): Promise<LoadResult>
}

/**
 * Closed-loop HTTP load: `connections` workers, each sends its next GET when the last answer is in. `keepAlive` false opens a
 * connection per request. A status other than 200, a cut or refused connection and 10 s of silence count as failed; nothing is retried.
 */
export function startLoad(url: string, options: LoadOptions): Load {
  const { connections: maxSockets, keepAlive, tls } = options
  const agent = tls ? new SecureAgent({ keepAlive, maxSockets, ...tls }) : new Agent({ keepAlive, maxSockets })
  const send = tls ? requestSecurely : request
  const result: LoadResult = { total: 0, failed: 0, failures: {}, servedBy: {}, releases: {}, firstSeen: {} }
  let stopping = false
  let minimum = 0
  const count = (record: Record<string, number>, key: string) => {
    if (key in record || Object.keys(record).length < 20) record[key] = (record[key] ?? 0) + 1
  }

  const once = () =>
    new Promise<void>((resolve) => {
      const failed = (reason: string) => {
        result.failed++
        count(result.failures, reason)
        resolve()
      }
      const sent = send(url, { agent, timeout: 10_000 }, (response) => {
        response.on('error', (error: NodeJS.ErrnoException) => failed(`answer cut: ${error.code}`))
        response.on('end', () => {
          if (response.statusCode !== 200) return failed(`status ${response.statusCode}`)
          const release = String(response.headers['x-release'] ?? '')
          count(result.servedBy, String(response.headers['x-served-by'] ?? ''))
          count(result.releases, release)
          result.firstSeen[release] ??= Date.now()
          resolve()
        })
        response.resume()
      })
      sent.on('timeout', () => sent.destroy(Object.assign(new Error('timeout'), { code: 'timeout' })))
      sent.on('error', (error: NodeJS.ErrnoException) => failed(error.code ?? error.message))
      sent.end()
    })

  const worker = async () => {
    while (!stopping || result.total < minimum) {
      await once()
      result.total++
      // A refused connection answers at once: without a breath the loop would count thousands of failures a second.
      if (result.failed > 0 && result.failed % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  const done = Promise.all(Array.from({ length: options.connections }, worker))

  return {
    result,
    async stop(atLeast = 0) {
      minimum = atLeast
      stopping = true
      await done
      agent.destroy()
      return result
    },
  }
}
