import { request as httpRequest } from 'node:http'
import { costsOf } from '../../../src/activities/costs.ts'
import { createApi } from '../../../src/api/create-api.ts'
import type { ApiDeps } from '../../../src/api/deps.ts'
import { packFiles } from '../../../src/lib/archive/pack.ts'
import { sha256 } from '../../../src/lib/digest.ts'
import { createLog } from '../../../src/lib/log.ts'
import { listenHttp } from '../../../src/main/http-server.ts'
import { machineName } from '../../../src/model/machine.ts'
import type { Reach } from '../../../src/model/reach.ts'
import { shippedRecipes } from '../../../src/recipes/shipped.ts'
import { toolkit } from '../../../src/toolkit/registry.ts'
import { guestbookText } from '../../support/guestbook.ts'
import { startTestStore, type TestStore } from '../../support/test-store.ts'

export interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  body: any
}

export interface CallOptions {
  /** Sent as JSON; a string as it is, with the type of JSON. */
  body?: unknown
  /** Sent as it is, without a type. */
  raw?: Buffer
  headers?: Record<string, string>
  token?: string
}

export interface TestApi {
  url: string
  token: string
  database: TestStore
  /** Digest of the archive of `./app`, which is uploaded. */
  source: string
  call(method: string, path: string, options?: CallOptions): Promise<Answer>
  /** A request whose path goes out byte for byte, and whose body may be streamed without its length. */
  raw(
    method: string,
    path: string,
    options?: { headers?: Record<string, string>; chunks?: Iterable<Buffer> },
  ): Promise<Answer>
  stop(): Promise<void>
}

/** The API behind a real port, on a real database, without a worker. A cloud `home` is connected and the guestbook's source uploaded. */
export async function startTestApi(overrides: Partial<ApiDeps> = {}): Promise<TestApi> {
  const database = await startTestStore()
  const { store, tenantId } = database
  const { token } = await store.tokens.create(tenantId, 'test')
  const api = createApi({
    store,
    toolkit,
    recipes: await shippedRecipes(),
    reach: {} as Reach,
    clouds: {
      validate: async (_kind, settings, credentials) => ({ settings, credentials }),
      refuseChange: async () => {},
      changed: () => {},
      test: async () => [{ name: 'fake', ok: true, detail: 'fine' }],
      sweep: async () => ({ machines: [], addresses: [], residue: [] }),
    },
    previews: async () => [],
    imports: { examine: () => Promise.reject(new Error('nothing to import here')) },
    resolveSpecs: async (wanted) =>
      new Map(
        wanted.map(({ component, ordinal }) => [
          machineName(component.name, ordinal),
          { size: 's', image: 'i', requirements: component.machine },
        ]),
      ),
    costs: async (cloudIds) => costsOf(store, cloudIds),
    version: '0',
    log: createLog({ level: 'error' }),
    ...overrides,
  })
  const http = await listenHttp({ host: '127.0.0.1', port: 0 })
  http.serve((request) => api.fetch(request))

  async function call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const headers: Record<string, string> = { authorization: `Bearer ${options.token ?? token}`, ...options.headers }
    if (options.body !== undefined) headers['content-type'] ??= 'application/json'
    const body =
      options.raw ?? (typeof options.body === 'string' ? options.body : options.body && JSON.stringify(options.body))
    const init = { method, headers, ...(body !== undefined && { body: body as string }) }
    const response = await fetch(`${http.url}${path}`, init)
    return { status: response.status, headers: response.headers, body: parsed(response.headers, await response.text()) }
  }

  const source = await packFiles({ 'server.js': Buffer.from('1') })
  await call('POST', '/v1/clouds', { body: { name: 'home', provider: 'fake' } })
  await call('PUT', `/v1/blobs/${sha256(source)}`, { raw: source })
  return {
    url: http.url,
    token,
    database,
    source: sha256(source),
    call,
    raw: (method, path, options = {}) => rawRequest(http.url, token, method, path, options),
    async stop() {
      await http.close(0)
      await database.stop()
    },
  }
}

/** A deploy of the guestbook. */
export function deployBody({ source }: TestApi, text = guestbookText) {
  return { kind: 'deploy', blueprint: { text }, sources: { './app': source }, cloud: 'home' }
}

function parsed(headers: Headers, text: string): unknown {
  return /[/+]json\b/.test(headers.get('content-type') ?? '') ? JSON.parse(text) : text
}

function rawRequest(
  url: string,
  token: string,
  method: string,
  path: string,
  { headers = {}, chunks = [] }: { headers?: Record<string, string>; chunks?: Iterable<Buffer> },
): Promise<Answer> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { hostname, port, method, path, headers: { authorization: `Bearer ${token}`, ...headers } },
      (response) => {
        let text = ''
        response.on('data', (chunk) => (text += chunk))
        response.on('end', () => {
          const answered = new Headers(response.headers as Record<string, string>)
          resolve({ status: response.statusCode ?? 0, headers: answered, body: parsed(answered, text) })
          request.destroy()
        })
      },
    )
    // The server may answer, and close, before it was told everything.
    let answered = false
    request.on('response', () => {
      answered = true
    })
    request.on('error', (error) => !answered && reject(error))
    void (async () => {
      for (const chunk of chunks) {
        if (answered || request.destroyed) return
        if (!request.write(chunk)) await new Promise((resume) => request.once('drain', resume).once('close', resume))
      }
      request.end()
    })()
  })
}
