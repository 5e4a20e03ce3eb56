import { expect, test } from 'vitest'
import { backoff, retry } from '../../../src/lib/retry.ts'
import { KitbagError } from '../../../src/model/errors.ts'

const busy = () => new KitbagError('internal', 'busy', { retryable: true })

test('calls until it succeeds', async () => {
  const answer = await retry((attempt) => (attempt < 3 ? Promise.reject(busy()) : attempt), { attempts: 5, delay: 0 })
  expect(answer).toBe(3)
})

test.each([
  ['attempts are used up', busy(), 3],
  ['it is for good', new KitbagError('internal', 'no'), 1],
  ['it is no KitbagError', new Error('no'), 1],
])('throws the last error when %s', async (_, error, calls) => {
  let made = 0
  const call = () => {
    made++
    throw error
  }
  await expect(retry(call, { attempts: 3, delay: () => 0 })).rejects.toBe(error)
  expect(made).toBe(calls)
})

test('an abort ends the wait with its reason', async () => {
  const cut = new AbortController()
  const waiting = retry(() => Promise.reject(busy()), { attempts: 2, delay: 60_000, signal: cut.signal })
  cut.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
})

test('backoff doubles up to its limit', () => {
  const delay = backoff(100, 1_000)
  for (const [attempt, most] of [
    [1, 100],
    [2, 200],
    [3, 400],
    [9, 1_000],
  ] as const) {
    const found = delay(attempt)
    expect(found).toBeGreaterThanOrEqual(most / 2)
    expect(found).toBeLessThanOrEqual(most)
  }
})
