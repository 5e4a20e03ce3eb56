import { existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findProcesses } from '../../../src/main/embedded/processes.ts'
import { adminToken, call, type KitbagProcess, runKitbag, temporaryHome } from '../../support/control-plane.ts'
import { until } from '../../support/until.ts'

let home: string
const started: KitbagProcess[] = []

beforeEach(async () => {
  home = await temporaryHome()
})
afterEach(async () => {
  for (const one of started.splice(0)) await one.end()
  rmSync(home, { recursive: true, force: true })
})

function kitbag(args: string[], env: Record<string, string> = {}): KitbagProcess {
  const one = runKitbag(args, { KITBAG_HOME: home, ...env })
  started.push(one)
  return one
}

async function up(): Promise<KitbagProcess & { url: string; token: string }> {
  const one = kitbag(['up'])
  const url = (await one.ready).replace('kitbag is ready: ', '')
  return { ...one, url, token: await adminToken(home) }
}

function children(): number[] {
  return [
    ...findProcesses('postgres', '-D', join(home, 'postgres')),
    ...findProcesses('temporal', '--db-filename', join(home, 'temporal/temporal.db')),
  ]
}

test('it says where it is, lets in who has the token, ends cleanly and goes on with its state', async () => {
  const first = await up()
  expect(first.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  expect(statSync(join(home, 'admin-token')).mode & 0o777).toBe(0o600)
  expect(statSync(join(home, 'master-key')).mode & 0o777).toBe(0o600)
  expect(statSync(home).mode & 0o777).toBe(0o700)
  expect(JSON.parse(readFileSync(join(home, 'control-plane.json'), 'utf8'))).toEqual({
    url: first.url,
    pid: first.child.pid,
  })
  expect((await call(first, 'GET', '/v1/deployments')).status).toBe(200)
  expect((await call({ ...first, token: 'kbt_wrong' }, 'GET', '/v1/deployments')).status).toBe(401)
  expect((await fetch(`${first.url}/v1/deployments`)).status).toBe(401)
  expect((await call(first, 'POST', '/v1/clouds', { name: 'kept', provider: 'fake' })).status).toBe(201)

  expect(await first.end()).toBe(0)
  expect(children()).toEqual([])
  expect(existsSync(join(home, 'control-plane.json'))).toBe(false)
  expect(existsSync(join(home, 'lock'))).toBe(false)

  const second = await up()
  expect(second.token).toBe(first.token)
  expect(await (await call(second, 'GET', '/v1/clouds')).text()).toContain('"kept"')
  expect(first.output()).not.toContain(first.token)
  expect(second.output()).toBe(`kitbag is ready: ${second.url}\n`)
})

test('killed with -9, the next one ends what it left and takes over', async () => {
  const first = await up()
  const left = children()
  expect(left).toHaveLength(2)
  expect(await first.end('SIGKILL')).toBeNull()
  const second = await up()
  expect((await call(second, 'GET', '/v1/deployments')).status).toBe(200)
  expect(children().filter((pid) => left.includes(pid))).toEqual([])
  expect(children()).toHaveLength(2)
  expect(await second.end()).toBe(0)
  expect(children()).toEqual([])
})

test('killed with -9 and not started again, its children end by themselves', async () => {
  const first = await up()
  await first.end('SIGKILL')
  await until(() => children().length === 0)
})

test('two on one home: the second says who is there, and leaves that one alone', async () => {
  const first = await up()
  const second = kitbag(['up'])
  expect(await second.ended).toBe(4)
  expect(second.output()).toMatch(
    new RegExp(`^kitbag: a control plane runs on ${home} already \\(process ${first.child.pid}\\)\\. [^\\n]+\\n$`),
  )
  expect((await call(first, 'GET', '/v1/deployments')).status).toBe(200)
})

test('a taken port: one sentence, status 1, nothing left', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  const one = kitbag(['up', '--listen', `127.0.0.1:${port}`])
  expect(await one.ended).toBe(1)
  expect(one.output()).toMatch(
    /^kitbag: cannot listen on 127\.0\.0\.1:\d+: the port is taken\. [^\n]*KITBAG_LISTEN[^\n]*\n$/,
  )
  expect(children()).toEqual([])
  expect(existsSync(join(home, 'lock'))).toBe(false)
  server.close()
})

test.each([
  ['KITBAG_LISTEN', { KITBAG_LISTEN: 'nonsense' }, 3],
  ['KITBAG_MASTER_KEY_FILE', { KITBAG_MASTER_KEY_FILE: '/no/such/file' }, 1],
  ['TEMPORAL_CLI', { TEMPORAL_CLI: '/no/such/program' }, 1],
  ['127.0.0.1:9', { TEMPORAL_ADDRESS: '127.0.0.1:9' }, 1],
])('a wrong %s is named, and nothing is left running', async (name, env, status) => {
  const one = kitbag(['up'], env)
  expect(await one.ended).toBe(status)
  const lines = one
    .output()
    .trim()
    .split('\n')
    .filter((line) => line.startsWith('kitbag: '))
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain(name)
  expect(children()).toEqual([])
})

test('ended while it starts, it leaves nothing', async () => {
  const one = kitbag(['up'])
  const { child } = one
  while (!existsSync(join(home, 'lock')) && child.exitCode === null)
    await new Promise((resolve) => setTimeout(resolve, 5))
  await one.end('SIGINT')
  expect(children()).toEqual([])
  expect(existsSync(join(home, 'lock'))).toBe(false)
})

test('another master key than the database was made with is refused', async () => {
  const first = await up()
  await first.end()
  rmSync(join(home, 'master-key'))
  const second = kitbag(['up'])
  expect(await second.ended).toBe(1)
  expect(second.output()).toContain('this database was encrypted with another master key')
  expect(children()).toEqual([])
})
