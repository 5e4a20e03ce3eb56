/** Milliseconds for which what AWS lists (images, subnets, offers) is taken as still so. */
const fresh = 600_000

/** Asks once and keeps the answer for some minutes; a failure is not kept. */
export function kept<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: { value: Promise<T>; at: number } | undefined
  return () => {
    if (answer && Date.now() - answer.at < fresh) return answer.value
    const value = ask()
    const own = { value, at: Date.now() }
    answer = own
    value.catch(() => {
      if (answer === own) answer = undefined
    })
    return value
  }
}
