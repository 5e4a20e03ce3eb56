import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { tryLock } from '../../../src/main/embedded/lock.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kitbag-lock-'))
  path = join(folder, 'lock')
})
afterEach(() => rmSync(folder, { recursive: true }))

test('held by a living process until released', async () => {
  const first = await tryLock(path)
  if (!('lock' in first)) throw new Error('not taken')
  expect(await tryLock(path)).toEqual({ pid: process.pid })
  await first.lock.release()
  expect(readdirSync(folder)).toEqual([])
  expect(await tryLock(path)).toHaveProperty('lock')
})

test.each([
  ['of a process that is gone', '999999999 1 boot'],
  ['of a process whose number is another one now', `${process.pid} 1 boot`],
  ['that holds nothing', ''],
])('a lock %s is taken over, by one of many', async (_, content) => {
  writeFileSync(path, content)
  const all = await Promise.all(Array.from({ length: 20 }, () => tryLock(path)))
  expect(all.filter((one) => 'lock' in one)).toHaveLength(1)
  expect(readdirSync(folder)).toEqual(['lock'])
})
