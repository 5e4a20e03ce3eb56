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

/** HTTP over one control plane. Problem details come back as KitbagError; no answer as `control-plane-unreachable`. */
export function createClient({ url, token }: Connection) {
  async function call(
    method: string,
    path: string,
    options: {
      body?: unknown
      raw?: ReadableStream<Uint8Array>
      headers?: Record<string, string>
      signal?: AbortSignal
    } = {},
  ): Promise<Response> {
    const { body, raw, headers = {}, signal } = options
    const init: RequestInit & { duplex?: 'half' } = {
      method,
      headers: { authorization: `Bearer ${token}`, ...headers },
    }
    if (signal) init.signal = signal
    if (body !== undefined)
      Object.assign(init, {
        body: JSON.stringify(body),
        headers: { ...init.headers, 'content-type': 'application/json' },
      })
    if (raw !== undefined)
      Object.assign(init, {
        body: raw,
        duplex: 'half',
        headers: { ...init.headers, 'content-type': 'application/x-tar' },
      })
    const response = await fetch(new URL(path, url), init).catch((cause: Error) => {
      if (signal?.aborted) throw cause
      throw new KitbagError(
        'control-plane-unreachable',
        `no control plane answers at ${url} (${(cause.cause as NodeJS.ErrnoException | undefined)?.code ?? cause.message})`,
        {
          cause,
          fix: 'Start one with `kitbag up`, or name one with KITBAG_URL and KITBAG_TOKEN.',
        },
      )
    })
    if (!response.ok) throw await problemOf(response)
    return response
  }

  async function json<T>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<T> {
    const response = await call(method, path, { ...(body !== undefined && { body }), ...(headers && { headers }) })
    return (response.status === 204 ? undefined : await response.json()) as T
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

/** Lines of a streamed answer, without their ends. */
export async function* linesOf(response: Response): AsyncIterable<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of response.body ?? []) {
    const lines = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    yield* lines.map((line) => line.replace(/\r$/, ''))
  }
  if (rest !== '') yield rest
}

async function problemOf(response: Response): Promise<KitbagError> {
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
