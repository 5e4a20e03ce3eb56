import { request } from 'node:http'
import type { Duplex } from 'node:stream'
import type { HealthCheck } from '../model/blueprint.ts'
import type { MachineAccess } from '../model/machine.ts'
import type { Reach } from '../model/reach.ts'

export interface HealthTarget {
  machine: MachineAccess
  port: number
  health: HealthCheck
}

/** Checks once, over the machine's own SSH connection, as its neighbours would: at its address. Never rejects. */
export async function checkHealth(
  reach: Reach,
  { machine, port, health }: HealthTarget,
): Promise<{ ok: boolean; detail: string }> {
  const timeout = AbortSignal.timeout(health.timeout)
  let connection: Duplex | undefined
  try {
    connection = await within(timeout, reach.connectTcp(machine, machine.address, port), (late) => late.destroy())
    if (!health.http) return { ok: true, detail: `port ${port} accepts connections` }
    const status = await within(timeout, get(connection, `${machine.address}:${port}`, health.http))
    return { ok: status >= 200 && status < 400, detail: `GET ${health.http} answered ${status}` }
  } catch (error) {
    const what = health.http ? `GET ${health.http}` : `port ${port}`
    const reason = timeout.aborted ? `no answer within ${health.timeout} ms` : (error as Error).message
    return { ok: false, detail: `${what}: ${reason}` }
  } finally {
    connection?.destroy()
  }
}

function get(connection: Duplex, host: string, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request({
      // An agent would wrap and keep the connection, which is for this one request.
      createConnection: () => connection,
      agent: false,
      path,
      headers: { host, 'user-agent': 'kitbag-health', connection: 'close' },
    })
    asked.on('response', (answer) => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    })
    asked.on('error', reject)
    asked.end()
  })
}

/** Gives up at the signal; what comes too late is handed to `dispose`. */
function within<T>(signal: AbortSignal, promise: Promise<T>, dispose?: (late: T) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const give = () => reject(signal.reason)
    signal.addEventListener('abort', give, { once: true })
    promise.then((value) => {
      signal.removeEventListener('abort', give)
      if (signal.aborted) dispose?.(value)
      resolve(value)
    }, reject)
  })
}
