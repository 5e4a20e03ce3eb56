import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packageRoot } from '../../src/lib/package-root.ts'

const real = process.platform === 'linux' && process.getuid?.() === 0

function bench(...words: string[]) {
  return spawnSync(process.execPath, [join(packageRoot(), 'dist/bench.js'), ...words], {
    encoding: 'utf8',
    timeout: 300_000,
  })
}

/** What benchmarks keep on this box; another one may be running. */
function kept(): string[] {
  const folder = '/var/lib/kitbag-bench'
  return existsSync(folder) ? readdirSync(folder) : []
}

test('one row of the benchmark ends with one line of JSON, and leaves nothing', (context) => {
  if (!real) context.skip('the benchmark needs root on Linux')
  const before = kept()
  const { status, stdout, stderr } = bench('start', '--json')
  const { box, rows } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
  expect(rows, stderr).toEqual([{ name: 'start', value: expect.any(Number), bar: '<= 4 s', ok: status === 0 }])
  expect(box).toMatchObject({ cores: expect.any(Number), node: process.versions.node })
  expect(kept().filter((name) => !before.includes(name))).toEqual([])
})

test('a row that does not exist is named, with those that do', () => {
  const { status, stderr } = bench('strat')
  expect(status).toBe(1)
  expect(stderr).toMatch(/no row strat; known: .*\bstart\b/)
})
