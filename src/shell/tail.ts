/** Keeps the last `limit` bytes of a stream. */
export interface Tail {
  add(chunk: Buffer): void
  /** As UTF-8, from the first whole character on. */
  text(): string
}

export function createTail(limit: number): Tail {
  let chunks: Buffer[] = []
  let size = 0
  let cutOff = false

  function trim(): void {
    const all = Buffer.concat(chunks)
    chunks = [all.subarray(all.length - limit)]
    size = limit
    cutOff = true
  }

  return {
    add(chunk) {
      chunks.push(chunk)
      size += chunk.length
      // Twice the limit before it is trimmed, so that each byte is copied about once.
      if (size > 2 * limit) trim()
    },
    text() {
      if (size > limit) trim()
      const bytes = Buffer.concat(chunks)
      let start = 0
      while (cutOff && start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++
      return bytes.toString('utf8', start)
    },
  }
}
