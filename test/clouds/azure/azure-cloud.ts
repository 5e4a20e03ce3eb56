import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { issueLeaf, makeAuthority } from '../../../src/toolkit/certificates/x509.ts'
import { ArmError } from './arm-error.ts'
import { type Fault, type Faults, hit, noFaults, takesEffect } from './faults.ts'
import type { Grants } from './grants.ts'
import { Login } from './login.ts'
import { region } from './offers.ts'
import type { Behind, Cloud } from './resource-type.ts'
import { type Asked, route } from './routes.ts'
import { type Operation, World } from './world.ts'

/** One request as it came, with what was answered. */
export interface Recorded {
  method: string
  /** With the query. */
  path: string
  body: unknown
  /** 0: the connection was cut. */
  status: number
  /** Asks how far an operation or a machine is, or reads what an operation ended with. */
  polling: boolean
  /** It took effect, and whoever asked was left without an answer. */
  unanswered?: true
}

/** A Resource Manager of the tests' own, with its directory: https on this box, as strict as Azure in what the driver uses. */
export interface AzureCloud {
  /** Settings and credentials of a cloud record that is this cloud. */
  settings: Record<string, unknown> & { subscription: string; region: string }
  credentials: { from: 'client-secret'; tenant: string; client: string; secret: string }
  world: World
  faults: Faults
  grants: Grants
  login: Login
  /** To the Resource Manager, oldest first; the directory's are not among them. */
  requests: Recorded[]
  /** Cores that may be used altogether. */
  quota(cores: number): void
  close(): Promise<void>
}

export interface AzureCloudOptions {
  behind?: Behind
  /** Milliseconds that long-running operations take. */
  operationTime?: number
  /** Resources in one answer of a list. */
  pageSize?: number
}

export async function startAzureCloud({
  behind,
  operationTime = 1,
  pageSize = 1_000,
}: AzureCloudOptions = {}): Promise<AzureCloud> {
  const now = new Date()
  const authority = makeAuthority('Azure test cloud', 86_400_000, now)
  const until = new Date(now.getTime() + 86_400_000)
  const leaf = issueLeaf(
    { ...authority, name: 'Azure test cloud', until },
    { hosts: ['localhost', '127.0.0.1'], lifetime: 3_600_000, now },
  )
  const login = new Login({ tenant: randomUUID(), client: randomUUID(), secret: `secret-${randomUUID()}` })
  const cloud: Cloud = {
    world: new World(),
    subscription: randomUUID(),
    origin: '',
    faults: noFaults(),
    cores: 1_000,
    operationTime,
    pageSize,
    ...(behind && { behind }),
  }
  const grants: Grants = { actions: ['*'], notActions: [] }
  const requests: Recorded[] = []
  /** Paths of resources whose operation was followed to its end, which clients then read. */
  const unread = new Set<string>()
  const server = createServer({ key: leaf.key, cert: leaf.certificate }, (request, response) => {
    void answer(request, response).catch((error: Error) => {
      process.stderr.write(`azure test cloud: ${error.stack}\n`)
      send(response, 500, { error: { code: 'InternalServerError', message: error.message } })
    })
  })
  await listen(server)
  const origin = `https://localhost:${(server.address() as AddressInfo).port}`

  cloud.origin = origin

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', origin)
    const text = await bodyOf(request)
    if (url.pathname === '/console') return consoleOf(url.searchParams.get('of') ?? '', request, response)
    if (!/^\/subscriptions\//.test(url.pathname)) return directory(url, text, response)
    const method = request.method ?? 'GET'
    const body = text === '' ? undefined : JSON.parse(text)
    const polling = /\/(operations|operationresults)\//.test(url.pathname) || url.searchParams.has('$expand')
    const record: Recorded = { method, path: `${url.pathname}${url.search}`, body, status: 0, polling }
    requests.push(record)
    const isMachine = method === 'PUT' && /\/virtualMachines\//i.test(url.pathname)
    if (isMachine && cloud.faults.machinesUntilExpiry !== undefined && cloud.faults.machinesUntilExpiry-- <= 0)
      login.expire()
    const fault = hit(cloud.faults, method, url.pathname)
    if (fault && !takesEffect(fault)) return fail(fault, record, response)
    try {
      login.check(request.headers.authorization)
      const asked: Asked = { method, path: url.pathname, query: url.searchParams, headers: request.headers, body }
      const { status, body: said, operation, result } = route(cloud, grants, asked)
      if (fault) return fail(fault, record, response)
      record.status = status
      if (method === 'PUT' && operation) unread.add(url.pathname)
      else if (method === 'GET' && unread.delete(url.pathname)) record.polling = true
      send(response, status, said, operation && followed(url, operation, result))
    } catch (error) {
      if (!(error instanceof ArmError)) throw error
      record.status = error.status
      send(response, error.status, { error: { code: error.code, message: error.message } }, error.headers)
    }
  }

  /** Where a client follows a long-running operation. */
  function followed({ pathname, searchParams }: URL, { id }: Operation, result = false): Record<string, string> {
    const base = `${origin}/subscriptions/${cloud.subscription}`
    const query = `?api-version=${searchParams.get('api-version')}`
    if (result) return { location: `${base}/operationresults/${id}${query}`, 'retry-after': '0' }
    const namespace = /providers\/(Microsoft\.\w+)\//.exec(pathname)?.[1]
    const where = `${base}/providers/${namespace}/locations/${region}/operations/${id}`
    return { 'azure-asyncoperation': `${where}${query}`, 'retry-after': '0' }
  }

  function directory({ pathname }: URL, text: string, response: ServerResponse): void {
    const [tenant = '', ...rest] = pathname.slice(1).split('/')
    const what = rest.join('/')
    if (what === 'v2.0/.well-known/openid-configuration') send(response, 200, login.configuration(origin, tenant))
    else if (what === 'oauth2/v2.0/token') {
      const { status, body } = login.token(tenant, new URLSearchParams(text), origin)
      send(response, status, body)
    } else send(response, 404, { error: 'not_found' })
  }

  async function consoleOf(id: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.headers.authorization !== undefined) throw new Error('a token came to where consoles are kept')
    const vmId = String(cloud.world.find(id)?.properties.vmId)
    raw(response, 200, 'text/plain', (await behind?.console(vmId)) ?? `console of ${id}`)
  }

  function fail({ effect }: Fault, record: Recorded, response: ServerResponse): void {
    if (effect === 'no-answer') {
      record.unanswered = true
      return
    }
    if (effect === 'lost-answer' || effect === 'refused') {
      response.destroy()
      return
    }
    const pause = { 'retry-after-ms': '20' }
    const answers = {
      throttled: () =>
        send(
          response,
          429,
          { error: { code: 'TooManyRequests', message: 'The request is being throttled.' } },
          { ...pause, 'retry-after': '1' },
        ),
      unavailable: () =>
        send(response, 503, { error: { code: 'ServerTimeout', message: 'The server is busy.' } }, pause),
      'not-yet': () =>
        send(response, 404, { error: { code: 'ResourceNotFound', message: 'The Resource was not found.' } }),
      html: () => raw(response, 200, 'text/html', '<html><body>Please sign in to the network</body></html>'),
      truncated: () => raw(response, 200, 'application/json', '{"id":"/subscriptions/'),
      redirect: () => raw(response, 302, 'text/html', '', { location: 'https://localhost:1/elsewhere' }),
    }
    answers[effect]()
    record.status = response.statusCode
  }

  return {
    settings: {
      subscription: cloud.subscription,
      region,
      endpoint: origin,
      authority: origin,
      certificateAuthority: authority.certificate,
    },
    credentials: { from: 'client-secret', ...login.account },
    world: cloud.world,
    faults: cloud.faults,
    grants,
    login,
    requests,
    quota: (cores) => {
      cloud.cores = cores
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function listen(server: Server): Promise<void> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

function send(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  const text = body === undefined ? '' : JSON.stringify(body)
  raw(response, status, 'application/json; charset=utf-8', text, headers)
}

function raw(
  response: ServerResponse,
  status: number,
  type: string,
  text: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, {
    ...(text !== '' && { 'content-type': type }),
    'x-ms-request-id': randomUUID(),
    ...headers,
  })
  response.end(text)
}
