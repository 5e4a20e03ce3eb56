import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, test, vi } from 'vitest'
import { httpOverReach } from '../../../src/lib/http-over-reach.ts'
import type { Reach } from '../../../src/model/reach.ts'
import { createFakeReach } from '../../../src/shell/fake.ts'
import { runProgram } from '../../../src/shell/run-program.ts'
import { noBlobs, testProgram } from './programs.ts'

const machine = { id: 'mac_1', name: 'web-1', address: '192.0.2.1', port: 22, user: 'debian', hostKey: '' }
const run = (reach: Reach, resources: string[], of = machine) =>
  runProgram(reach, of, testProgram(resources.map((resource) => ({ resource }))), { blobs: noBlobs })

const configuration = `
    description kitbag 0123abcd
backend http-80
    server web-1 192.0.2.1:8080 check inter 500ms rise 2 fall 3 weight 100
    server web-2 192.0.2.2:8080 check inter 500ms rise 2 fall 3 disabled weight 100
`

async function ask(reach: Reach, line: string): Promise<string> {
  const socket = await reach.connectUnix(machine, '/run/haproxy/kitbag.sock')
  socket.write(`${line}\n`)
  return text(socket)
}

async function configured(reach: Reach): Promise<void> {
  const program = testProgram([{ resource: 'file:/etc/haproxy/haproxy.cfg' }])
  await runProgram(reach, machine, { ...program, text: `${program.text}${configuration}` }, { blobs: noBlobs })
}

describe('the fake', () => {
  test('does what is new to a machine, each machine for itself, and again what is different', async () => {
    const reach = createFakeReach()
    const other = { ...machine, id: 'mac_2' }
    expect((await run(reach, ['file:/a', 'file:/b'])).changed).toBe(2)
    expect((await run(reach, ['file:/a', 'file:/b'])).changed).toBe(0)
    expect((await run(reach, ['file:/a', 'file:/b'], other)).changed).toBe(2)
    expect((await run(reach, ['file:/a'])).changed).toBe(1)
  })

  test('a check finds what was never done there, and what it is told to', async () => {
    const reach = createFakeReach()
    const program = testProgram([{ resource: 'file:/a' }, { resource: 'file:/b' }])
    const check = { ...program, text: `N='${program.nonce}' MODE='check'\n${program.text}` }
    expect((await runProgram(reach, machine, check, { blobs: noBlobs })).changed).toBe(2)
    await runProgram(reach, machine, program, { blobs: noBlobs })
    expect((await runProgram(reach, machine, check, { blobs: noBlobs })).changed).toBe(0)
    reach.faults.push({ kind: 'drift', machine: 'web-1', resource: 'file:/b', times: 1 })
    const { events } = await runProgram(reach, machine, check, { blobs: noBlobs })
    expect(events.map(({ status }) => status)).toEqual(['ok', 'changed'])
  })

  test('fails as told, as often as told', async () => {
    const reach = createFakeReach({
      faults: [
        { kind: 'unreachable', machine: 'web-1', times: 1 },
        { kind: 'cut', resource: 'file:/b', times: 1 },
        { kind: 'fail', resource: 'file:/b', output: 'no such user', times: 1 },
      ],
    })
    const again = () => run(reach, ['file:/a', 'file:/b'])
    await expect(again()).rejects.toMatchObject({ code: 'machine-unreachable', retryable: true })
    await expect(again()).rejects.toMatchObject({ code: 'machine-unreachable', retryable: true })
    await expect(again()).rejects.toMatchObject({
      code: 'resource-failed',
      resource: 'file:/b',
      output: 'no such user',
    })
    expect((await again()).changed).toBe(2)
  })

  test('answers health checks as told', async () => {
    const reach = createFakeReach({ http: (_, { path }) => (path === '/missing' ? 404 : 200) })
    const status = async (path: string) =>
      (await httpOverReach(reach, machine, { host: '192.0.2.1', port: 80, path, timeout: 5_000 })).status
    expect([await status('/'), await status('/missing')]).toEqual([200, 404])
    reach.faults.push({ kind: 'unhealthy', times: 1 })
    expect([await status('/'), await status('/')]).toEqual([503, 200])
  })

  test('keeps a list of what was run', async () => {
    const reach = createFakeReach({ exec: (_, command) => (command === 'id -u' ? { stdout: '0\n' } : undefined) })
    expect((await reach.exec(machine, 'id -u', { root: true })).stdout).toBe('0\n')
    await run(reach, ['file:/a'])
    expect(reach.execs).toEqual([
      { machine: 'web-1', command: 'id -u', root: true },
      { machine: 'web-1', command: 'sh', root: true, resources: ['file:/a'] },
    ])
  })

  test('pretends an HAProxy from the configuration that it was given', async () => {
    const reach = createFakeReach()
    await expect(ask(reach, 'show stat')).rejects.toMatchObject({ code: 'service-failed' })
    await configured(reach)
    const states = async () => {
      const [head = '', ...rows] = (await ask(reach, 'show stat')).trim().split('\n')
      const columns = head.replace('# ', '').split(',')
      return rows
        .map((row) => ['pxname', 'svname', 'status', 'weight'].map((name) => row.split(',')[columns.indexOf(name)]))
        .filter(([, server]) => server !== 'FRONTEND')
    }
    expect(await states()).toEqual([
      ['http-80', 'web-1', 'UP', '100'],
      ['http-80', 'web-2', 'MAINT', '100'],
    ])
    await ask(reach, 'set server http-80/web-1 state drain')
    await ask(reach, 'set server http-80/web-2 weight 5')
    await ask(reach, 'add server http-80/web-3 192.0.2.3:8080 check')
    expect(await states()).toEqual([
      ['http-80', 'web-1', 'DRAIN', '100'],
      ['http-80', 'web-2', 'MAINT', '5'],
      ['http-80', 'web-3', 'MAINT', '1'],
    ])
    expect(await ask(reach, 'del server http-80/web-3')).toContain('Server deleted.')
    expect(await ask(reach, 'set server http-80/web-9 state ready')).toContain('No such server.')
    expect(await ask(reach, 'show info')).toContain('description: kitbag 0123abcd')
  })

  test('remembers in a folder what another process shall know', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kitbag-fake-'))
    await configured(createFakeReach({ folder }))
    await ask(createFakeReach({ folder }), 'set server http-80/web-1 state maint')
    expect(await ask(createFakeReach({ folder }), 'show stat')).toContain('http-80,web-1,0,0,0,0,0,0,0,MAINT')
    const again = createFakeReach({ folder })
    expect((await run(again, ['file:/a'])).changed).toBe(1)
    expect((await run(createFakeReach({ folder }), ['file:/a'])).changed).toBe(0)
    again.forget(machine.id)
    await vi.waitFor(async () => expect(await readdir(folder)).toEqual([]), { timeout: 120_000 })
    await rm(folder, { recursive: true })
  })
})
