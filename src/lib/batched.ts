import { sleep } from './clock.ts'

/** Milliseconds in which those who ask are answered together. */
const gathering = 10

/** Answers many askers by one read of all their keys: whoever asks while one is under way waits for the next. */
export function batched<T>(read: (keys: string[]) => Promise<Map<string, T>>): (key: string) => Promise<T | undefined> {
  let next: { keys: Set<string>; answer: Promise<Map<string, T>> } | undefined
  let last: Promise<unknown> = Promise.resolve()
  return async (key) => {
    if (!next) {
      const keys = new Set<string>()
      const answer = last.then(async () => {
        await sleep(gathering)
        next = undefined
        return read([...keys])
      })
      last = answer.catch(() => undefined)
      next = { keys, answer }
    }
    next.keys.add(key)
    return (await next.answer).get(key)
  }
}
