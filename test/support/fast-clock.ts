import { syncBuiltinESMExports } from 'node:module'
import promises from 'node:timers/promises'

/**
 * Lets time pass `factor` times as fast for what waits with timers or reads `Date.now`, the SDKs included; the kernel's own time (sockets)
 * stays. For waits of a minute that a test shall not cost. Returns how to put the clock back.
 */
export function fastClock(factor: number): () => void {
  const { now } = Date
  const { setTimeout: plain } = globalThis
  const { setTimeout: promised } = promises
  const start = now()
  Date.now = () => start + (now() - start) * factor
  const fast = (work: (...args: unknown[]) => void, delay = 0, ...args: unknown[]) =>
    plain(work, delay / factor, ...args)
  globalThis.setTimeout = Object.assign(fast, plain) as typeof setTimeout
  promises.setTimeout = ((delay = 0, ...rest: [unknown?, object?]) =>
    promised(delay / factor, ...rest)) as typeof promised
  syncBuiltinESMExports()
  return () => {
    Date.now = now
    globalThis.setTimeout = plain
    promises.setTimeout = promised
    syncBuiltinESMExports()
  }
}
