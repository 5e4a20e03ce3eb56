import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { liveTree } from '../../../src/cli/live-tree.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A terminal that keeps what is on it, as far as the tree uses one: carriage return, lines up, clear to the end. */
function terminal(columns = 80, rows = 24) {
  let lines: string[] = []
  const write = (text: string) => {
    const [moves = '', rest = ''] = text.split('\u001b[J')
    const up = /^\r.\[(\d+)A$/.exec(moves)?.[1] ?? '0'
    lines = [...lines.slice(0, lines.length - Number(up)), ...rest.split('\n').slice(0, -1)]
    return true
  }
  return { screen: () => lines, out: { columns, rows, write } as unknown as NodeJS.WriteStream }
}

const unit = (machine: string, kind: string, status: string, more: object = {}) => ({
  id: `${machine}/${kind}`,
  machine,
  kind,
  status,
  ...more,
})

test('is drawn anew in place, with the seconds that go by', () => {
  const { screen, out } = terminal()
  const tree = liveTree(out)
  tree.event('unit', unit('web-1', 'create', 'running'))
  vi.advanceTimersByTime(1500)
  expect(screen()).toEqual(['  web-1                1.5 s  * create'])
  tree.event('unit', unit('web-1', 'create', 'done', { seconds: 1.6 }))
  tree.event('unit', unit('web-1', 'install', 'running'))
  tree.event('resource', { machine: 'web-1', resource: 'package:nodejs', status: 'changed' })
  vi.advanceTimersByTime(2000)
  expect(screen()).toEqual([
    '  web-1                3.6 s',
    '    + create           1.6 s',
    '    * install          2.0 s  after package:nodejs',
  ])
  tree.event('unit', unit('web-1', 'install', 'done', { seconds: 2.2 }))
  tree.end()
  expect(screen()).toEqual([
    '  web-1                3.8 s',
    '    + create           1.6 s',
    '    + install          2.2 s',
  ])
})

test('news on the way go with it; what failed, and warnings, stay', () => {
  const { screen, out } = terminal()
  const tree = liveTree(out)
  tree.event('log', { level: 'info', message: 'web-1 is not healthy yet' })
  tree.event('log', { level: 'warn', message: 'trying again (1 of 4)' })
  tree.event('unit', unit('db-1', 'install', 'failed', { seconds: 1, error: { message: 'E: \u001b[31mbroken' } }))
  vi.advanceTimersByTime(100)
  expect(screen()).toContain('  web-1 is not healthy yet')
  tree.end()
  expect(screen()).toEqual(['  db-1                 1.0 s  x install', '  trying again (1 of 4)', '  db-1: E: broken'])
})

test('the steps of an undo are told apart', () => {
  const { screen, out } = terminal()
  const tree = liveTree(out)
  tree.event('unit', unit('web-1', 'create', 'done', { seconds: 1 }))
  tree.event('unit', unit('web-1', 'destroy', 'done', { seconds: 1, stage: 'undo' }))
  tree.end()
  expect(screen().slice(1)).toEqual(['    + create           1.0 s', '    + undo destroy     1.0 s'])
})
