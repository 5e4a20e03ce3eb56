import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ReceivedHook {
  path: string
  headers: IncomingHttpHeaders
  /** As it came. */
  text: string
  body: unknown
}

export interface WebhookReceiver {
  port: number
  hooks: ReceivedHook[]
  /** Status of every answer from now on, and more headers of it. */
  answer(status: number, headers?: OutgoingHttpHeaders): void
  close(): Promise<void>
}

/** An HTTP server that keeps what is posted to it. */
export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const hooks: ReceivedHook[] = []
  let status = 200
  let more: OutgoingHttpHeaders = {}
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    hooks.push({ path: request.url ?? '', headers: request.headers, text, body: JSON.parse(text) })
    response.writeHead(status, more)
    // What Slack says when it took a message.
    response.end('ok')
  })
  server.listen(0, '0.0.0.0')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    hooks,
    answer(next, headers = {}) {
      status = next
      more = headers
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
