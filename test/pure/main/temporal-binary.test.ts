import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ensureTemporal } from '../../../src/main/embedded/temporal-binary.ts'

let cache: string
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'kitbag-cache-'))
})
afterEach(() => rmSync(cache, { recursive: true }))

function program(path: string, text = '#!/bin/sh\nexit 0\n'): string {
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, text)
  chmodSync(path, 0o755)
  return path
}

const fails = (reason: string) => async () => {
  throw new Error(reason)
}

function options(more: object = {}) {
  return { cache, env: {}, onProgress: () => {}, download: fails('no network'), build: fails('no Go'), ...more }
}

test('one that is here is taken: TEMPORAL_CLI, the PATH, the cache', async () => {
  const cached = program(join(cache, 'bin/temporal'))
  expect(await ensureTemporal(options())).toBe(cached)
  const onPath = program(join(cache, 'path/temporal'))
  expect(await ensureTemporal(options({ env: { PATH: `/nowhere:${join(cache, 'path')}` } }))).toBe(onPath)
  const named = program(join(cache, 'named'))
  expect(await ensureTemporal(options({ env: { PATH: join(cache, 'path'), TEMPORAL_CLI: named } }))).toBe(named)
})

test('TEMPORAL_CLI that is no program is named', async () => {
  await expect(ensureTemporal(options({ env: { TEMPORAL_CLI: '/no/where' } }))).rejects.toThrow(
    'TEMPORAL_CLI is /no/where',
  )
})

test('a download that does not run here is followed by a build; many who ask at once get it once', async () => {
  let builds = 0
  const download = async (target: string) => void program(target, '#!/bin/sh\necho wrong libc >&2; exit 127\n')
  const build = async (target: string) => {
    builds++
    program(target)
  }
  const found = await Promise.all([1, 2, 3].map(() => ensureTemporal(options({ download, build }))))
  expect(found).toEqual(Array(3).fill(join(cache, 'bin/temporal')))
  expect(builds).toBe(1)
})

test('when every way fails one sentence says each, and nothing is left', async () => {
  const failing = ensureTemporal(options({ download: fails('getaddrinfo ENOTFOUND') }))
  await expect(failing).rejects.toMatchObject({
    code: 'prerequisite-missing',
    message: "the Temporal server cannot be had (the vendor's download: getaddrinfo ENOTFOUND; a build with Go: no Go)",
    fix: expect.stringContaining('TEMPORAL_CLI'),
  })
  await expect(ensureTemporal(options({ download: async (target: string) => void program(target) }))).resolves.toBe(
    join(cache, 'bin/temporal'),
  )
})
