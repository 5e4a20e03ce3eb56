/** Lets `rate` calls a second through, and `burst` at once after a rest; without a limit all. */
export function tokenBucket(limit?: { rate: number; burst: number }): { take(): boolean } {
  let tokens = limit?.burst ?? 0
  let last = Date.now()
  return {
    take() {
      if (!limit) return true
      tokens = Math.min(limit.burst, tokens + ((Date.now() - last) / 1_000) * limit.rate)
      last = Date.now()
      if (tokens < 1) return false
      tokens--
      return true
    },
  }
}
