import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Backend {
  name: string
  port: number
  /** What its health check answers with. */
  healthy: boolean
  /** Requests answered or under way, health checks left out. */
  hits: number
  /** It takes connections and answers nothing, as a program that hangs. */
  silent: boolean
  /** Health checks that it did not answer. */
  unanswered: number
  /** Sends requests that ask for it (`/wait`) their answer. */
  release(): void
  /** As a machine that dies: connections are cut. */
  close(): Promise<void>
}

/**
 * A web application in this process, for a load balancer on a machine: `/healthz` answers 200 or 503, `/status/N` N, `/wait` when the test
 * says so, `/headers` the request's, `/long` 5000 bytes, everything else 200; `x-served-by` is its name. A WebSocket echoes what it gets.
 */
export async function startBackend(name: string): Promise<Backend> {
  const waiting: (() => void)[] = []
  const server = createServer((request, response) => {
    response.setHeader('x-served-by', name)
    const { url = '/' } = request
    if (backend.silent) {
      if (url === '/healthz') backend.unanswered++
      return
    }
    if (url === '/healthz') {
      response.statusCode = backend.healthy ? 200 : 503
      return response.end()
    }
    backend.hits++
    response.statusCode = Number(/^\/status\/(\d+)/.exec(url)?.[1] ?? 200)
    if (url === '/headers') return response.end(JSON.stringify(request.headers))
    if (url === '/long') return response.setHeader('content-type', 'text/html').end('long '.repeat(1000))
    if (url === '/wait') waiting.push(() => response.end('waited'))
    else response.end('hello')
  })
  server.keepAliveTimeout = 60_000
  server.on('upgrade', ({ headers }, socket) => {
    socket.on('error', () => {})
    const key = `${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
    const accept = createHash('sha1').update(key).digest('base64')
    const answer = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}`
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${answer}\r\n\r\n`)
    socket.on('data', (chunk) => socket.write(`echo ${chunk}`))
    socket.on('end', () => socket.destroy())
  })
  server.listen(0, '0.0.0.0')
  await once(server, 'listening')
  const backend: Backend = {
    name,
    port: (server.address() as AddressInfo).port,
    healthy: true,
    hits: 0,
    silent: false,
    unanswered: 0,
    release: () => {
      for (const answer of waiting.splice(0)) answer()
    },
    async close() {
      backend.release()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return backend
}
