/** Turns on one connection: `limit` at once, a few more for urgent ones, the rest wait in order. */
export interface Slots {
  /** Resolves when it is this one's turn. Rejects with the signal's reason, or with what `fail` was given. */
  take(options: { urgent?: boolean; signal?: AbortSignal }): Promise<void>
  give(): void
  /** The other side turned out to allow fewer. */
  shrink(limit: number): void
  /** Ends the wait of all who wait. */
  fail(error: unknown): void
  readonly taken: number
}

export function createSlots(most: number, reserve: number): Slots {
  let limit = most
  let taken = 0
  const waiting: { start: () => void; reject: (error: unknown) => void }[] = []

  function next(): void {
    while (taken < limit) {
      const first = waiting.shift()
      if (!first) return
      taken++
      first.start()
    }
  }

  function wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        waiting.splice(waiting.indexOf(entry), 1)
        reject(signal?.reason)
      }
      const leave = () => signal?.removeEventListener('abort', abort)
      const entry = {
        start: () => {
          leave()
          resolve()
        },
        reject: (error: unknown) => {
          leave()
          reject(error)
        },
      }
      signal?.addEventListener('abort', abort, { once: true })
      waiting.push(entry)
    })
  }

  return {
    get taken() {
      return taken
    },
    async take({ urgent = false, signal }) {
      signal?.throwIfAborted()
      if (taken < limit + (urgent ? reserve : 0)) {
        taken++
        return
      }
      await wait(signal)
    },
    give() {
      taken--
      next()
    },
    shrink(fewer) {
      limit = Math.max(1, Math.min(limit, fewer))
    },
    fail(error) {
      for (const { reject } of waiting.splice(0)) reject(error)
    },
  }
}
