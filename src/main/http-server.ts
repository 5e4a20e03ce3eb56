import { once } from 'node:events'
import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { KitbagError } from '../model/errors.ts'

type Fetch = (request: Request) => Response | Promise<Response>

export interface HttpServer {
  url: string
  /** From now on requests go there; before they were answered with 503. */
  serve(fetch: Fetch): void
  /** Takes no new requests; open ones (event streams too) have `grace` milliseconds to end. */
  close(grace: number): Promise<void>
}

/** Takes the port at once, so that a taken one is known before anything else starts. Throws `prerequisite-missing` naming it. */
export async function listenHttp(listen: { host: string; port: number }): Promise<HttpServer> {
  let fetch: Fetch = starting
  const server = createAdaptorServer({ fetch: (request) => fetch(request) }) as Server
  const { host } = listen
  try {
    server.listen({ host, port: listen.port })
    await once(server, 'listening')
  } catch (cause) {
    throw new KitbagError('prerequisite-missing', `cannot listen on ${host}:${listen.port}: ${reasonOf(cause)}`, {
      cause,
      fix: 'End what uses it, or set KITBAG_LISTEN to another host:port.',
    })
  }
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : listen.port
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    serve(next) {
      fetch = next
    },
    async close(grace) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeIdleConnections()
      const timer = setTimeout(() => server.closeAllConnections(), grace)
      await closed
      clearTimeout(timer)
    },
  }
}

function reasonOf(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') return 'the port is taken'
  if (code === 'EACCES') return 'not allowed to this user'
  if (code === 'EADDRNOTAVAIL') return 'this machine has no such address'
  return message
}

function starting(): Response {
  const body = { type: 'about:blank', title: 'Starting', status: 503, code: 'control-plane-unreachable' }
  const headers = { 'content-type': 'application/problem+json', 'retry-after': '1' }
  return new Response(JSON.stringify(body), { status: 503, headers })
}
