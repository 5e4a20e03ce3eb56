import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

const run = promisify(execFile)
const source = fileURLToPath(new URL('../../../', import.meta.url))
const bin = (name: string) => join(source, 'node_modules/.bin', name)

/** A copy of what the generator and its results need. */
let root: string

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'kitbag-new-provider-'))
  const support = ['longest-first', 'reporter', 'stall-guard'].map((name) => `test/support/${name}.ts`)
  for (const path of [
    'src',
    'test/conformance/providers',
    ...support,
    'package.json',
    'tsconfig.json',
    'biome.json',
    'vitest.config.ts',
    '.gitignore',
  ]) {
    await cp(join(source, path), join(root, path), { recursive: true })
  }
  await symlink(join(source, 'node_modules'), join(root, 'node_modules'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

const generate = (name: string) =>
  run(process.execPath, [join(source, 'scripts/new-provider.mjs'), name], { cwd: root })

test('a new provider compiles, is registered, and fails the conformance suite call by call', async () => {
  await generate('hetzner')
  const index = await readFile(join(root, 'src/providers/index.ts'), 'utf8')
  const drivers = index.slice(0, index.indexOf('} satisfies'))
  const kinds = [...drivers.matchAll(/^ {2}([a-z0-9]+): async/gm)].map(([, kind]) => kind)
  expect(kinds).toContain('hetzner')
  expect(kinds).toEqual([...kinds].sort())

  await run(bin('tsc'), ['--noEmit', '-p', root])
  const written = ['src/providers/hetzner', 'src/providers/index.ts', 'test/flow/providers/hetzner.test.ts']
  await run(bin('biome'), ['check', ...written], { cwd: root })

  const suite = ['run', '--project', 'flow', 'test/flow/providers/hetzner.test.ts']
  const failed = await run(bin('vitest'), suite, { cwd: root, env: { ...process.env, CI: 'true' } }).catch(
    (error: { stdout: string; stderr: string }) => error,
  )
  expect(failed.stdout).toMatch(/^\d+ passed, [1-9]\d* failed/m)
  expect(failed.stderr).toContain('hetzner: resolve is not built yet')
})

test.each([
  ['Hetzner', 'no name for a provider'],
  ['../x', 'no name for a provider'],
  ['local', 'exists already'],
])('a provider called %s is refused, and nothing is written', async (name, reason) => {
  const before = await readFile(join(root, 'src/providers/index.ts'), 'utf8')
  await expect(generate(name)).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining(reason) })
  expect(await readFile(join(root, 'src/providers/index.ts'), 'utf8')).toBe(before)
})
