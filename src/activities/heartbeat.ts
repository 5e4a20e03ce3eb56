import { Context } from '@temporalio/activity'

/** Milliseconds. A cancellation arrives with a heartbeat, and a dead worker is noticed when they stop (after 5 s). */
const interval = 1_000

/** Heartbeats while the work goes on; the signal is aborted by a cancellation, by the worker's shutdown and when this try was given up. */
export async function heartbeating<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const context = Context.current()
  const timer = setInterval(() => context.heartbeat(), interval)
  try {
    return await work(context.cancellationSignal)
  } finally {
    clearInterval(timer)
  }
}

/** Whether the operation was cancelled, as against this worker going down or another one having taken over. */
export function isCancelRequested(): boolean {
  return Context.current().cancellationDetails?.cancelRequested === true
}
