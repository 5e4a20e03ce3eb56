import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildKitbag } from '../../support/control-plane.ts'
import { runCli } from './run-cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'kitbag-replay-'))
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}
const kitbag = (...args: string[]) =>
  runCli(['autoscaler', 'replay', ...args], { env: { KITBAG_HOME: join(folder, 'nothing') } })

beforeAll(() => buildKitbag())
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const policy = (more: string) =>
  `component: web\nmin: 1\nmax: 8\ntarget: { metric: requests-per-second-per-machine, value: 50 }\n${more}`
const load = () =>
  file(
    'load.csv',
    `at,requests-per-second\n${Array.from({ length: 241 }, (_, i) => `${1769846400 + i * 15},${i < 40 ? 40 : 320}`).join('\n')}\n`,
  )

test('two policies side by side, without a control plane; the same again each time', async () => {
  const args = [
    '--policy',
    file('now.yaml', policy('')),
    '--policy',
    file('then.yaml', policy('steppingAtMost: { out: 1 }')),
  ]
  const all = [...args, '--metrics', load(), '--price', '0.5']
  const { status, stdout, stderr } = await kitbag(...all)
  expect([status, stderr]).toEqual([0, ''])
  expect(stdout).toMatch(/machine hours\s+\d+\.\d+\s+\d+\.\d+/)
  expect(stdout).toMatch(/2026-01-31T08:10:00.000Z\s+7\s+1 -> 7 machines: requests-per-second-per-machine is 320/)
  const json = await kitbag(...all, '--json')
  const [now, then] = JSON.parse(json.stdout) as { largest: number; secondsOverTarget: number; cost: number }[]
  expect(now?.largest).toBe(7)
  expect(then?.secondsOverTarget).toBeGreaterThan(now?.secondsOverTarget ?? 0)
  expect((await kitbag(...all, '--json')).stdout).toBe(json.stdout)
  const unpriced = await kitbag(...args, '--metrics', load())
  expect(unpriced.stdout).toMatch(/^cost +unknown +unknown$/m)
})

test('what is wrong with a file is told with its place; exit code 3', async () => {
  const wrong = await kitbag(
    '--policy',
    file('wrong.yaml', policy('min: 9\n').replace('min: 1\n', '')),
    '--metrics',
    load(),
  )
  expect([wrong.status, wrong.stderr]).toEqual([3, expect.stringContaining('min: 9 is more than max, 8')])
  const nothing = await kitbag('--metrics', load())
  expect([nothing.status, nothing.stderr]).toEqual([3, expect.stringContaining('takes --policy FILE')])
})
