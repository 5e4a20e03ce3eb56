import { expect, test } from 'vitest'
import { createSlots } from '../../../src/shell/slots.ts'

const settled = () => new Promise((resolve) => setImmediate(resolve))

test('turns are taken in order, urgent ones from a reserve', async () => {
  const slots = createSlots(2, 1)
  const begun: string[] = []
  const take = (name: string, urgent = false) => slots.take({ urgent }).then(() => begun.push(name))
  for (const name of ['a', 'b', 'c', 'd']) void take(name)
  void take('urgent', true)
  await settled()
  expect(begun).toEqual(['a', 'b', 'urgent'])
  slots.give()
  await settled()
  expect(begun).toEqual(['a', 'b', 'urgent'])
  slots.give()
  slots.give()
  await settled()
  expect(begun).toEqual(['a', 'b', 'urgent', 'c', 'd'])
})

test('who gives up waiting takes no turn', async () => {
  const slots = createSlots(1, 0)
  await slots.take({})
  const abort = new AbortController()
  const waiting = slots.take({ signal: abort.signal })
  abort.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
  slots.give()
  expect(slots.taken).toBe(0)
})

test('fewer are allowed after a refusal, but always one', async () => {
  const slots = createSlots(8, 2)
  await slots.take({})
  slots.shrink(0)
  const second = slots.take({})
  await settled()
  expect(slots.taken).toBe(1)
  slots.give()
  await second
})
