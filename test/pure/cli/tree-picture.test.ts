import { describe, expect, test } from 'vitest'
import { drawTree, type Step, type TreeMachine } from '../../../src/cli/tree-picture.ts'

const step = (kind: string, status: string, seconds: number, resource?: string): Step => ({
  kind,
  status,
  seconds,
  ...(resource !== undefined && { resource }),
})
const web: TreeMachine = {
  name: 'web-1',
  steps: [step('create', 'done', 1), step('install', 'running', 4.25, 'package:nodejs')],
}
const many = (count: number, status: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => ({
    name: `web-${n + 1}`,
    steps: [step('create', 'done', 1), step('install', status(n), 2)],
  }))

describe('the tree of an operation', () => {
  test('machine by machine, step by step, with seconds', () => {
    expect(drawTree({ machines: [web], notes: ['news'] }, 80, 24)).toEqual([
      '  web-1                5.3 s',
      '    + create           1.0 s',
      '    * install          4.3 s  after package:nodejs',
      '  news',
    ])
  })

  test('in the order of names, numbers as numbers; a machine with one step in one line', () => {
    const machines = ['web-10', 'web-9', 'db-1'].map((name) => ({ name, steps: [step('check', 'done', 0.2)] }))
    expect(drawTree({ machines, notes: [] }, 80, 24)).toEqual([
      '  db-1                 0.2 s  + check',
      '  web-9                0.2 s  + check',
      '  web-10               0.2 s  + check',
    ])
  })

  test('what failed and what was left out are marked', () => {
    const machines = [{ name: 'db-1', steps: [step('install', 'failed', 2), step('configure', 'skipped', 0)] }]
    expect(drawTree({ machines, notes: [] }, 80, 24).slice(1)).toEqual([
      '    x install          2.0 s',
      '    - configure        0.0 s',
    ])
  })

  test('no line is wider than the terminal', () => {
    const long = {
      name: 'web-1',
      steps: [step('create', 'done', 1), step('install', 'running', 1, 'file:/'.repeat(40))],
    }
    const lines = drawTree({ machines: [long], notes: ['n'.repeat(200)] }, 40, 24)
    expect(lines.map((line) => line.length)).toEqual([28, 28, 39, 39])
    expect(lines.at(-1)).toMatch(/\.\.\.$/)
  })

  test('machines at rest take one line when there is no room for all steps', () => {
    const machines = many(6, (n) => (n === 2 ? 'running' : 'done'))
    const lines = drawTree({ machines, notes: [] }, 80, 10)
    expect(lines).toHaveLength(8)
    expect(lines[0]).toBe('  web-1                3.0 s  + create  + install')
    expect(lines.slice(2, 5)).toEqual([
      '  web-3                3.0 s',
      '    + create           1.0 s',
      '    * install          2.0 s',
    ])
  })

  test('of 200 machines those at work are shown, and the rest counted; never more than the terminal has', () => {
    const machines = many(200, (n) => (n >= 190 ? 'running' : 'done'))
    const lines = drawTree({ machines, notes: ['one', 'two'] }, 80, 23)
    expect(lines).toHaveLength(23)
    expect(lines[0]).toMatch(/^ {2}web-191 .*\* install$/)
    expect(lines[20]).toBe('  and 180 more machines: 0 at work, 180 at rest')
  })
})
