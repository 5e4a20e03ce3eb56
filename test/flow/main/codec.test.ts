import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { adminToken, call, type KitbagProcess, runKitbag, temporaryHome } from '../../support/control-plane.ts'
import { startTestTemporal, type TestTemporal, temporalBinary } from '../../support/temporal.ts'
import { until } from '../../support/until.ts'

const run = promisify(execFile)

let home: string
let temporal: TestTemporal
let plane: KitbagProcess

beforeAll(async () => {
  ;[home, temporal] = await Promise.all([temporaryHome(), startTestTemporal()])
  const { address, namespace } = temporal
  const env = { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace, KITBAG_CODEC: 'on' }
  plane = runKitbag(['up'], { KITBAG_HOME: home, ...env })
  await plane.ready
})
afterAll(async () => {
  await plane?.end()
  await temporal?.stop()
  await rm(home, { recursive: true, force: true })
})

test('Temporal’s own command line shows what is stored, with the token, and nothing without', async () => {
  const control = { url: (await plane.ready).replace('kitbag is ready: ', ''), token: await adminToken(home) }
  await call(control, 'POST', '/v1/clouds', { name: 'home', provider: 'fake' })
  const text = 'apiVersion: kitbag/v1\nname: names\ntoolkit: { dns: { zone: shop.example, nameservers: 1 } }\n'
  const body = { kind: 'deploy', blueprint: { text }, cloud: 'home' }
  const { id } = (await (await call(control, 'POST', '/v1/deployments/names/operations', body)).json()) as {
    id: string
  }
  const show = async (env: Record<string, string>) => {
    const { address, namespace } = temporal
    const where = ['--address', address, '--namespace', namespace, '--codec-endpoint', `${control.url}/codec`]
    const args = ['workflow', 'show', '--workflow-id', id, '--output', 'json', ...where]
    const { stdout } = await run(temporalBinary, args, { env: { ...process.env, ...env }, maxBuffer: 64 << 20 })
    return stdout
  }
  // It writes data in base64, opened or not.
  const input = `"data": "${Buffer.from('{"operationId":').toString('base64')}`
  const token = { TEMPORAL_CODEC_AUTH: `Bearer ${control.token}` }
  // As soon as its workflow was started.
  await until(async () => (await show(token).catch(() => '')).includes(input))
  const without = await show({}).catch((error: Error) => error.message)
  expect(without).not.toContain(input)
})
