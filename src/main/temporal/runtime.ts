import { DefaultLogger, Runtime } from '@temporalio/worker'
import type { Log, LogLevel } from '../../lib/log.ts'

const levels: Record<string, LogLevel> = { TRACE: 'debug', DEBUG: 'debug', INFO: 'debug', WARN: 'warn', ERROR: 'error' }

/** The worker that only watches is meant to be as it is. */
const expected = /^No workflows registered/

let installed = false

/** The SDK's one runtime of this process: its log goes into ours, no telemetry is collected, signals are left to us. */
export function installRuntime(log: Log): void {
  if (installed) return
  installed = true
  Runtime.install({
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      log[expected.test(message) ? 'debug' : (levels[level] ?? 'info')](`temporal: ${message}`, meta && plainMeta(meta))
    }),
    telemetryOptions: { logging: { forward: {}, filter: { core: 'WARN', other: 'WARN' } } },
    shutdownSignals: [],
  })
}

/** The SDK hands over its own objects and symbols too. */
function plainMeta(meta: object): Record<string, unknown> {
  const kept = Object.entries(meta).filter(([, value]) => typeof value !== 'object' || value instanceof Error)
  return Object.fromEntries(kept)
}
