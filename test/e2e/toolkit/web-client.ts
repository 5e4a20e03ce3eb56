import { type IncomingHttpHeaders, request as plain } from 'node:http'
import { request as secure } from 'node:https'

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

export interface Asked {
  method?: string
  headers?: Record<string, string>
  body?: string
  /** Asked of this host, whatever the address. */
  host?: string
}

/** One request on a connection of its own. */
export function ask(url: string, { method = 'GET', headers = {}, body, host }: Asked = {}): Promise<Answer> {
  const { protocol, hostname } = new URL(url)
  const name = host ?? hostname
  return new Promise((resolve, reject) => {
    const sent = (protocol === 'https:' ? secure : plain)(
      url,
      {
        method,
        agent: false,
        headers: { host: name, ...headers },
        timeout: 60_000,
        rejectUnauthorized: false,
        ...(host !== undefined && { servername: host }),
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        )
      },
    )
    sent.on('timeout', () => sent.destroy(new Error('no answer within 60 s')))
    sent.on('error', reject)
    sent.end(body)
  })
}
