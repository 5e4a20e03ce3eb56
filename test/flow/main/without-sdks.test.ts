import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClient } from '../../../src/api/client.ts'
import { adminToken, buildKitbag, type KitbagProcess, runKitbag } from '../../support/control-plane.ts'
import { withoutSdks } from '../../support/without-sdks.ts'

describe("the clouds' SDKs are loaded when a cloud is used, and never before", () => {
  let folder: string
  let program: string
  let plane: KitbagProcess | undefined

  beforeAll(() => {
    buildKitbag()
    folder = mkdtempSync(join(tmpdir(), 'kitbag-without-sdks-'))
    program = withoutSdks(join(folder, 'program'))
  })
  afterAll(async () => {
    await plane?.end()
    rmSync(folder, { recursive: true, force: true })
  })

  test('where none is installed, the command line works', () => {
    expect(execFileSync(program, ['--help'], { encoding: 'utf8' })).toContain('cloud')
  })

  test('and so does the control plane, with other clouds; only one of AWS or Azure misses its own', async () => {
    const home = join(folder, 'home')
    plane = runKitbag(['up'], { KITBAG_HOME: home, HOME: folder }, program)
    const url = (await plane.ready).replace('kitbag is ready: ', '')
    const client = createClient({ url, token: await adminToken(home) })
    await client.json('POST', '/v1/clouds', { name: 'pretended', provider: 'fake' })
    expect(await client.json('POST', '/v1/clouds/pretended/test')).toMatchObject({ ok: true })
    const settings = { region: 'eu-central-1' }
    const attempt = client.json('POST', '/v1/clouds', { name: 'far', provider: 'aws', settings, credentials: {} })
    await expect(attempt).rejects.toThrow()
    // What it logs comes by another way than its answer.
    await expect.poll(() => plane?.output()).toMatch(/Cannot find package '@aws-sdk/)
  })
})
