import { expect, test } from 'vitest'
import { resources18Floor } from '../../../bench/floors/resources18.ts'
import { families } from '../../../bench/rows/families.ts'
import { createCleanup } from '../../../bench/support/cleanup.ts'
import { interleaved, median } from '../../../bench/support/measure.ts'
import { barText, isOk, type Row } from '../../../bench/support/row.ts'
import { runFamilies } from '../../../bench/support/run-families.ts'

const spec = { name: 'some', what: 'something', unit: 's', bar: { atMost: 2 } }
const row = (more: Partial<Row>): Row => ({ ...spec, value: 1, detail: '', ...more })

test('every row has a name of its own, and so has every family', () => {
  const names = families.flatMap(({ rows }) => rows.map(({ name }) => name))
  expect(new Set(names).size).toBe(names.length)
  expect(new Set(families.map(({ name }) => name)).size).toBe(families.length)
})

test('a row is ok when its value reaches the bar and all else holds', () => {
  expect(isOk(row({ value: 2 }))).toBe(true)
  expect(isOk(row({ value: 2.01 }))).toBe(false)
  expect(isOk(row({ value: 2, holds: false }))).toBe(false)
  expect(isOk(row({ value: null }))).toBe(false)
  expect(isOk(row({ value: 30, bar: { atLeast: 30 } }))).toBe(true)
  expect(isOk(row({ value: 29.9, bar: { atLeast: 30 } }))).toBe(false)
  expect(barText(row({ bar: { atLeast: 30 }, unit: 'x' }))).toBe('>= 30 x')
})

test('the median of an even number of values lies between the middle two', () => {
  expect(median([9, 1, 5])).toBe(5)
  expect(median([4, 1, 9, 2])).toBe(3)
})

test('works are run in turn, and who begins changes', async () => {
  const order: string[] = []
  const taken = await interleaved(3, {
    floor: async (round) => order.push(`floor ${round}`),
    kitbag: async (round) => order.push(`kitbag ${round}`),
  })
  expect(order).toEqual(['floor 0', 'kitbag 0', 'kitbag 1', 'floor 1', 'floor 2', 'kitbag 2'])
  expect(taken).toEqual({ floor: 4, kitbag: 3 })
})

test('the newest is undone first, and a failure keeps nothing else from it', async () => {
  const undone: string[] = []
  const cleanup = createCleanup()
  cleanup.add('first', () => void undone.push('first'))
  cleanup.add('broken', () => Promise.reject(new Error('as told')))
  cleanup.add('last', async () => void undone.push('last'))
  await cleanup.run()
  expect(undone).toEqual(['last', 'first'])
  expect(process.exitCode).toBe(1)
  process.exitCode = undefined
})

test('a family that fails leaves its rows unmeasured and is cleaned up after', async () => {
  const undone: string[] = []
  const cleanup = createCleanup()
  const failing = {
    name: 'failing',
    rows: [spec],
    run: async () => {
      cleanup.add('machine', () => void undone.push('machine'))
      throw new Error('no machine boots')
    },
  }
  const fine = { name: 'fine', rows: [spec], run: async () => [{ value: 1, detail: 'measured' }] }
  const bench = {
    cleanup,
    signal: new AbortController().signal,
    plane: () => Promise.reject(),
    endPlane: async () => {},
  }
  const rows = await runFamilies([failing, fine], bench)
  expect(rows.map(({ value, detail }) => [value, detail])).toEqual([
    [null, 'failed: no machine boots'],
    [1, 'measured'],
  ])
  expect(undone).toEqual(['machine'])
})

test('the floor holds the six files and their sums', () => {
  const script = resources18Floor()
  expect(script).not.toMatch(/^@.*@$/m)
  expect(script.match(/^[0-9a-f]{64} {2}\/etc\/labtest\/f[1-6]$/gm)).toHaveLength(6)
  expect(script.match(/^right f[1-6] \|\| write f[1-6] <<'END'$/gm)).toHaveLength(6)
})
