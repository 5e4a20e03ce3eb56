import { KitbagError } from '../model/errors.ts'
import { sleep } from './clock.ts'

export interface RetryOptions {
  /** Calls altogether, at least 1. */
  attempts: number
  /** Milliseconds before the next call, or how to get them from the number (1-based) of the call that just failed. */
  delay: number | ((attempt: number) => number)
  signal?: AbortSignal
  /** Default: KitbagErrors that say they are retryable. */
  retryable?: (error: unknown) => boolean
}

/** Calls until it succeeds, fails for good, or attempts are used up; then throws the last error. Aborting throws the signal's reason. */
export async function retry<T>(fn: (attempt: number) => T | Promise<T>, options: RetryOptions): Promise<T> {
  const { attempts, delay, signal, retryable = isRetryable } = options
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted()
    try {
      return await fn(attempt)
    } catch (error) {
      if (attempt >= attempts || !retryable(error)) throw error
      await sleep(typeof delay === 'number' ? delay : delay(attempt), signal)
    }
  }
}

/** Doubling delays with full jitter in the upper half: 1, 2, 4 ... x `base`, at most `most` milliseconds. */
export function backoff(base: number, most: number): (attempt: number) => number {
  return (attempt) => Math.min(most, base * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2)
}

function isRetryable(error: unknown): boolean {
  return error instanceof KitbagError && error.retryable
}
