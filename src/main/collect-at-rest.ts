import { performance } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Milliseconds between two looks. */
const interval = 5_000

/** Share of the time in which the process may have been at work and still counts as at rest. */
const rest = 0.1

/** Bytes of heap that have to have come up since the last collection. */
const worthwhile = 16 * 2 ** 20

/**
 * Gives memory back when there is time for it. V8 collects when it needs room: after a busy hour a control plane at rest would hold
 * twice of what lives in it. Returns what ends it.
 */
export function collectAtRest(): () => void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  setFlagsFromString('--no-expose-gc')
  let before = performance.eventLoopUtilization()
  let left = process.memoryUsage().heapUsed
  const timer = setInterval(() => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, before)
    before = now
    if (utilization > rest || process.memoryUsage().heapUsed < left + worthwhile) return
    collect()
    left = process.memoryUsage().heapUsed
  }, interval)
  timer.unref()
  return () => clearInterval(timer)
}
