import http, { type IncomingMessage, type RequestOptions } from 'node:http'
import https from 'node:https'
import { pipeline } from 'node:stream/promises'
import { type ErrorCode, errorCodes, KitbagError, type Problem } from '../model/errors.ts'

export interface Connection {
  url: string
  token: string
}

export interface ServerEvent {
  id?: string
  event: string
  data: string
}

interface Details {
  code?: string
  detail?: string
  fix?: string
  problems?: Problem[]
  machine?: string
  resource?: string
  output?: string
}

/** An answer whose body is still to be read. */
export interface Answer {
  status: number
  body: AsyncIterable<Buffer>
  text(): Promise<string>
}

interface CallOptions {
  body?: unknown
  raw?: AsyncIterable<Uint8Array>
  headers?: Record<string, string>
  signal?: AbortSignal
}

/**
 * HTTP over one control plane. Problem details come back as KitbagError; no answer as `control-plane-unreachable`. By Node's own http,
 * because loading `fetch` takes longer than most calls.
 */
export function createClient({ url, token }: Connection) {
  async function call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const { body, raw, signal } = options
    const type = body !== undefined ? 'application/json' : raw !== undefined ? 'application/x-tar' : undefined
    const content = body === undefined ? raw : Buffer.from(JSON.stringify(body))
    const headers = {
      authorization: `Bearer ${token}`,
      ...options.headers,
      ...(type !== undefined && { 'content-type': type }),
      ...(Buffer.isBuffer(content) && { 'content-length': String(content.length) }),
    }
    const response = await send(new URL(path, url), { method, headers, ...(signal && { signal }) }, content).catch(
      (cause: NodeJS.ErrnoException) => {
        if (signal?.aborted) throw cause
        throw new KitbagError(
          'control-plane-unreachable',
          `no control plane answers at ${url} (${cause.code ?? cause.message})`,
          { cause, fix: 'Start one with `kitbag up`, or name one with KITBAG_URL and KITBAG_TOKEN.' },
        )
      },
    )
    const answer = { status: response.statusCode ?? 0, body: response, text: () => readText(response) }
    if (answer.status < 200 || answer.status > 299) throw await problemOf(answer)
    return answer
  }

  async function json<T>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<T> {
    const response = await call(method, path, { ...(body !== undefined && { body }), ...(headers && { headers }) })
    return (response.status === 204 ? undefined : JSON.parse(await response.text())) as T
  }

  /** Every item of a list, page by page. */
  async function all<T>(path: string): Promise<T[]> {
    const items: T[] = []
    for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
      const query = `${path.includes('?') ? '&' : '?'}limit=200${cursor === undefined ? '' : `&cursor=${cursor}`}`
      const page = await json<{ items: T[]; nextCursor?: string }>('GET', `${path}${query}`)
      items.push(...page.items)
      cursor = page.nextCursor
    }
    return items
  }

  /** Server-sent events, from after `lastId`; ends with the stream, throws when it is cut. */
  async function* events(path: string, options: { lastId?: string; signal?: AbortSignal }): AsyncIterable<ServerEvent> {
    const headers = {
      accept: 'text/event-stream',
      ...(options.lastId !== undefined && { 'last-event-id': options.lastId }),
    }
    const response = await call('GET', path, { headers, ...(options.signal && { signal: options.signal }) })
    let current: Partial<ServerEvent> = {}
    for await (const line of linesOf(response)) {
      if (line === '') {
        if (current.data !== undefined) yield { event: 'message', data: '', ...current }
        current = {}
        continue
      }
      const [, field = '', value = ''] = /^([^:]*): ?(.*)$/.exec(line) ?? []
      if (field === 'id' || field === 'event') current[field] = value
      if (field === 'data') current.data = current.data === undefined ? value : `${current.data}\n${value}`
    }
  }

  return { call, json, all, events }
}

export type Client = ReturnType<typeof createClient>

/** The head of the answer. A server may answer before it has read all, and close: then its answer counts, not the cut. */
function send(
  url: URL,
  options: RequestOptions,
  content: Buffer | AsyncIterable<Uint8Array> | undefined,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? https : http).request(url, options, resolve)
    request.on('error', reject)
    if (content === undefined || Buffer.isBuffer(content)) request.end(content)
    else pipeline(content, request).catch(reject)
  })
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

/** Lines of a streamed answer, without their ends. */
export async function* linesOf(response: Answer): AsyncIterable<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of response.body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    yield* lines.map((line) => line.replace(/\r$/, ''))
  }
  if (rest !== '') yield rest
}

async function problemOf(response: Answer): Promise<KitbagError> {
  const text = await response.text()
  let details: Details = {}
  try {
    details = JSON.parse(text) as Details
  } catch {
    // Not ours: a proxy in between, say. Its words are all there is.
  }
  const code: ErrorCode =
    details.code !== undefined && details.code in errorCodes ? (details.code as ErrorCode) : 'internal'
  const { problems, machine, resource, output } = details
  const fix = code === 'unauthorized' ? 'Set KITBAG_TOKEN to one of its tokens.' : details.fix
  return new KitbagError(
    code,
    details.detail ?? `the control plane answered ${response.status}: ${text.slice(0, 200)}`,
    {
      ...(fix !== undefined && { fix }),
      ...(problems && { problems }),
      ...(machine !== undefined && { machine }),
      ...(resource !== undefined && { resource }),
      ...(output !== undefined && { output }),
    },
  )
}
