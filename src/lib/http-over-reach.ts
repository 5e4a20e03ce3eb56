import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import type { Duplex } from 'node:stream'
import { KitbagError } from '../model/errors.ts'
import type { MachineAccess } from '../model/machine.ts'
import type { Reach } from '../model/reach.ts'
import { unlessAborted } from './unless-aborted.ts'

export interface TcpTarget {
  /** As the machine sees it. */
  host: string
  port: number
  /** Milliseconds for all of it. */
  timeout: number
  signal?: AbortSignal
}

export interface HttpTarget extends TcpTarget {
  path: string
  method?: string
  headers?: Record<string, string>
  body?: string
}

export interface HttpAnswer {
  status: number
  headers: IncomingHttpHeaders
  /** The first MiB. */
  body: string
}

const mostBody = 1024 * 1024

/**
 * One HTTP request as made from the machine itself. Throws `service-failed` (retryable) when nothing answers there in time, what Reach
 * throws when the machine cannot be reached, and the signal's reason.
 */
export async function httpOverReach(reach: Reach, machine: MachineAccess, target: HttpTarget): Promise<HttpAnswer> {
  return withConnection(reach, machine, target, (connection, signal) => ask(connection, target, signal))
}

/** Whether the port accepts a connection made from the machine itself. Throws as `httpOverReach` does. */
export async function tcpCheck(reach: Reach, machine: MachineAccess, target: TcpTarget): Promise<void> {
  await withConnection(reach, machine, target, async () => {})
}

async function withConnection<T>(
  reach: Reach,
  machine: MachineAccess,
  { host, port, timeout, signal }: TcpTarget,
  act: (connection: Duplex, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = AbortSignal.timeout(timeout)
  const over = signal ? AbortSignal.any([signal, limit]) : limit
  let connection: Duplex | undefined
  try {
    const opening = reach.connectTcp(machine, host, port)
    opening.then((late) => over.aborted && late.destroy()).catch(() => {})
    connection = await unlessAborted(over, opening)
    return await unlessAborted(over, act(connection, over))
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof KitbagError) throw error
    const reason = limit.aborted ? `no answer within ${timeout} ms` : (error as Error).message
    throw new KitbagError('service-failed', `${machine.name}: ${host}:${port}: ${reason}`, {
      machine: machine.name,
      retryable: true,
      cause: error,
    })
  } finally {
    connection?.destroy()
  }
}

function ask(connection: Duplex, { host, port, path, method, headers, body }: HttpTarget, signal: AbortSignal) {
  return new Promise<HttpAnswer>((resolve, reject) => {
    const asked = request({
      // No word of `agent`: with any, even false, Node would connect by itself and not ask this.
      createConnection: () => connection,
      path,
      method: method ?? 'GET',
      headers: { host: `${host}:${port}`, 'user-agent': 'kitbag', connection: 'close', ...headers },
      signal,
    })
    asked.on('error', reject)
    asked.on('response', (answer) => read(answer).then(resolve, reject))
    asked.end(body)
  })
}

async function read(answer: IncomingMessage): Promise<HttpAnswer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    size += chunk.length
    if (size >= mostBody) break
  }
  const body = Buffer.concat(chunks).subarray(0, mostBody).toString()
  return { status: answer.statusCode ?? 0, headers: answer.headers, body }
}
