import { once } from 'node:events'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import ssh2 from 'ssh2'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { publicKeyFingerprint } from '../../../src/lib/host-key.ts'
import type { MachineAccess } from '../../../src/model/machine.ts'
import type { Reach } from '../../../src/model/reach.ts'
import { generateKeyPair } from '../../../src/shell/keys.ts'
import type { ReachOptions } from '../../../src/shell/reach.ts'
import { freePort, noSshd, reachTo, startSshd, type TestSshd } from './openssh.ts'
import { type FaultyProxy, startProxy } from './proxy.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

function reachWith(privateKey: string, options: Partial<ReachOptions> = {}): Reach {
  const reach = reachTo(privateKey, options)
  closing.push(() => reach.close())
  return reach
}

describe('a machine that shows another host key', () => {
  /** A server of ssh2's own, which tells what of a login it saw. */
  async function startRecorder() {
    const shown = generateKeyPair('another')
    const seen = { logins: 0, connections: 0 }
    const server = new ssh2.Server({ hostKeys: [shown.privateKey] }, (client) => {
      seen.connections++
      client.on('error', () => {})
      client.on('authentication', (context) => {
        seen.logins++
        context.reject()
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    closing.push(async () => server.close())
    return { port: (server.address() as AddressInfo).port, seen, shown: shown.publicKey }
  }

  test('is refused before anything of the login is sent, and both keys are named', async () => {
    const { port, seen, shown } = await startRecorder()
    const pinned = generateKeyPair('pinned').publicKey
    const reach = reachWith(generateKeyPair('login').privateKey)
    const machine: MachineAccess = {
      id: 'm',
      name: 'web-1',
      address: '127.0.0.1',
      port,
      user: 'debian',
      hostKey: pinned,
    }
    const expected = {
      code: 'host-key-mismatch',
      retryable: false,
      machine: 'web-1',
      message: expect.stringMatching(/^web-1 \(127\.0\.0\.1:\d+\) shows another host key/),
    }
    const failure = await reach.exec(machine, 'true').catch((error) => error)
    expect(failure).toMatchObject(expected)
    expect(failure.message).toContain(
      `pinned ${publicKeyFingerprint(pinned)}, presented ${publicKeyFingerprint(shown)}`,
    )
    await expect(reach.connectTcp(machine, 'localhost', 80)).rejects.toMatchObject(expected)
    await expect(reach.waitForSsh(machine, { timeout: 120_000 })).rejects.toMatchObject(expected)
    expect(seen).toEqual({ logins: 0, connections: 3 })
  })

  test('is refused also when it has no key of the pinned type', async () => {
    const { port, seen } = await startRecorder()
    const rsa = ssh2.utils.generateKeyPairSync('rsa', { bits: 2048 }).public
    const machine = { id: 'm', name: 'web-1', address: '127.0.0.1', port, user: 'debian', hostKey: rsa }
    await expect(reachWith(generateKeyPair('').privateKey).exec(machine, 'true')).rejects.toMatchObject({
      code: 'host-key-mismatch',
      retryable: false,
    })
    expect(seen.logins).toBe(0)
  })
})

describe.skipIf(noSshd)(`connections to OpenSSH${noSshd ? ` (${noSshd})` : ''}`, () => {
  let sshd: TestSshd
  beforeAll(async () => {
    sshd = await startSshd()
  })
  afterAll(() => sshd?.remove())

  async function proxyTo(machine: MachineAccess): Promise<FaultyProxy> {
    const proxy = await startProxy(machine)
    closing.push(() => proxy.close())
    return proxy
  }

  test('one is made for all who ask at the same time, and kept', async () => {
    const proxy = await proxyTo(sshd.machine)
    const reach = reachWith(sshd.privateKey)
    await Promise.all(Array.from({ length: 30 }, () => reach.exec(proxy.machine, 'true')))
    await reach.exec(proxy.machine, 'true')
    expect(proxy.accepted).toBe(1)
  })

  test('an unused one is closed, and made again when needed', async () => {
    const proxy = await proxyTo(sshd.machine)
    const reach = reachWith(sshd.privateKey, { idle: 50 })
    await reach.exec(proxy.machine, 'sleep 0.2')
    expect(proxy.open).toBe(1)
    await vi.waitFor(() => expect(proxy.open).toBe(0), { timeout: 120_000 })
    await reach.exec(proxy.machine, 'true')
    expect(proxy.accepted).toBe(2)
  })

  test('beyond the bound the longest unused ones are closed, never those in use', async () => {
    const proxy = await proxyTo(sshd.machine)
    const reach = reachWith(sshd.privateKey, { most: 3 })
    const as = (id: string) => ({ ...proxy.machine, id })
    const busy = reach.exec(as('busy'), 'read -r x; echo "$x"', { stdin: await endless() })
    for (let i = 0; i < 10; i++) await reach.exec(as(`m${i}`), 'true')
    await vi.waitFor(() => expect(proxy.open).toBe(3), { timeout: 120_000 })
    await reach.exec(as('m9'), 'true')
    expect(proxy.accepted).toBe(11)
    expect((await busy).stdout).toBe('in use\n')

    async function endless() {
      const { PassThrough } = await import('node:stream')
      const input = new PassThrough()
      closing.push(async () => input.destroy())
      void vi.waitFor(() => expect(proxy.accepted).toBe(11), { timeout: 120_000 }).then(() => input.end('in use\n'))
      return input
    }
  })

  test('a fresh one takes its place, and what runs on the former ends there', async () => {
    const proxy = await proxyTo(sshd.machine)
    const reach = reachWith(sshd.privateKey)
    let told: (value: unknown) => void = () => {}
    const begun = new Promise((resolve) => {
      told = resolve
    })
    const file = `/tmp/kitbag-fresh-${process.pid}`
    const running = reach.exec(
      proxy.machine,
      `echo on; until [ -e ${file} ]; do sleep 0.05; done; rm ${file}; echo off`,
      {
        onLine: () => told(true),
      },
    )
    await begun
    await reach.exec(proxy.machine, 'true', { fresh: true })
    expect([proxy.accepted, proxy.open]).toEqual([2, 2])
    await reach.exec(proxy.machine, `touch ${file}`)
    expect((await running).stdout).toBe('on\noff\n')
    await vi.waitFor(() => expect(proxy.open).toBe(1), { timeout: 120_000 })
    expect(proxy.accepted).toBe(2)
  })

  test('a forgotten one is closed', async () => {
    const proxy = await proxyTo(sshd.machine)
    const reach = reachWith(sshd.privateKey)
    await reach.exec(proxy.machine, 'true')
    reach.forget(proxy.machine.id)
    await vi.waitFor(() => expect(proxy.open).toBe(0), { timeout: 120_000 })
  })

  test('a machine that moved is connected to where it is now', async () => {
    const [before, after] = [await proxyTo(sshd.machine), await proxyTo(sshd.machine)]
    const reach = reachWith(sshd.privateKey)
    await reach.exec(before.machine, 'true')
    await reach.exec({ ...after.machine, id: before.machine.id }, 'true')
    expect(after.accepted).toBe(1)
    await vi.waitFor(() => expect(before.open).toBe(0), { timeout: 120_000 })
  })

  test('after close nothing is open, and what ran is told so', async () => {
    const proxy = await proxyTo(sshd.machine)
    const reach = reachTo(sshd.privateKey)
    let close: () => void = () => {}
    const running = reach.exec(proxy.machine, 'echo on; sleep 600', { onLine: () => close() })
    close = () => void reach.close()
    await expect(running).rejects.toMatchObject({ code: 'machine-unreachable' })
    await vi.waitFor(() => expect(proxy.open).toBe(0), { timeout: 120_000 })
    await expect(reach.exec(proxy.machine, 'true')).rejects.toMatchObject({ code: 'machine-unreachable' })
  })

  test('a refused login is not worth repeating, and the message says so', async () => {
    const stranger = reachWith(generateKeyPair('stranger').privateKey)
    await expect(stranger.exec(sshd.machine, 'true')).rejects.toMatchObject({
      code: 'machine-unreachable',
      retryable: false,
      message: expect.stringContaining(`it refused the login of ${sshd.machine.user}`),
    })
  })

  test('nobody listening is named, and worth repeating', async () => {
    const machine = { ...sshd.machine, port: await freePort() }
    await expect(reachWith(sshd.privateKey).exec(machine, 'true')).rejects.toMatchObject({
      code: 'machine-unreachable',
      retryable: true,
      message: expect.stringContaining('cannot be reached: it refused the connection'),
    })
  })

  test('a server that accepts and says nothing is given up', async () => {
    const mute = createTcpServer().listen(0, '127.0.0.1')
    await once(mute, 'listening')
    closing.push(async () => mute.close())
    const machine = { ...sshd.machine, port: (mute.address() as { port: number }).port }
    const reach = reachWith(sshd.privateKey, { timings: { banner: 100 } })
    await expect(reach.exec(machine, 'true')).rejects.toMatchObject({
      code: 'machine-unreachable',
      retryable: true,
      message: expect.stringContaining('sent nothing within 100 ms'),
    })
  })

  test('a machine that dies without a word is noticed', async () => {
    const proxy = await proxyTo(sshd.machine)
    const reach = reachWith(sshd.privateKey)
    const began = Date.now()
    const running = reach.exec(proxy.machine, 'echo on; sleep 600', { onLine: () => proxy.freeze() })
    await expect(running).rejects.toMatchObject({ code: 'machine-unreachable', retryable: true })
    expect(Date.now() - began).toBeLessThan(60_000)
  })
})

describe.skipIf(noSshd)('a server that goes away and comes back', () => {
  test('cuts what ran, and is used again without anybody noticing else', async () => {
    const sshd = await startSshd()
    closing.push(() => sshd.remove())
    const reach = reachWith(sshd.privateKey)
    let kill: () => void = () => {}
    const killed = new Promise<void>((resolve) => {
      kill = () => void sshd.kill().then(resolve)
    })
    const running = reach.exec(sshd.machine, 'echo on; sleep 600', { onLine: () => kill() })
    await expect(running).rejects.toMatchObject({
      code: 'machine-unreachable',
      retryable: true,
      message: expect.stringMatching(/^the connection to openssh-1 \(127\.0\.0\.1:\d+\) was cut/),
    })
    await killed
    await expect(reach.exec(sshd.machine, 'true')).rejects.toMatchObject({
      code: 'machine-unreachable',
      retryable: true,
    })
    await sshd.start()
    expect((await reach.exec(sshd.machine, 'echo back')).stdout).toBe('back\n')
    await sshd.kill()
    await sshd.start()
    expect((await reach.exec(sshd.machine, 'echo again')).stdout).toBe('again\n')
  })

  test('is waited for from before it is there', async () => {
    const sshd = await startSshd()
    closing.push(() => sshd.remove())
    await sshd.kill()
    const reach = reachWith(sshd.privateKey)
    const waiting = reach.waitForSsh(sshd.machine, { timeout: 120_000 })
    await sshd.start()
    await waiting
  })

  test('is not waited for longer than was said', async () => {
    const machine = { id: 'm', name: 'web-1', address: '127.0.0.1', port: await freePort(), user: 'debian' }
    const reach = reachWith(generateKeyPair('').privateKey)
    const waiting = reach.waitForSsh({ ...machine, hostKey: generateKeyPair('').publicKey }, { timeout: 300 })
    await expect(waiting).rejects.toMatchObject({
      code: 'machine-unreachable',
      retryable: true,
      message: expect.stringMatching(
        /web-1 \(127\.0\.0\.1:\d+\) did not answer SSH within 0\.3 s: it refused the connection/,
      ),
    })
  })

  test('an abort ends the wait with its reason', async () => {
    const machine = { id: 'm', name: 'web-1', address: '127.0.0.1', port: await freePort(), user: 'debian' }
    const reach = reachWith(generateKeyPair('').privateKey)
    const abort = new AbortController()
    const waiting = reach.waitForSsh(
      { ...machine, hostKey: generateKeyPair('').publicKey },
      { timeout: 60_000, signal: abort.signal },
    )
    const reason = new Error('enough')
    abort.abort(reason)
    await expect(waiting).rejects.toBe(reason)
  })

  test('refused logins while it waits stay few enough for sshd not to shut us out', async () => {
    const sshd = await startSshd(['LogLevel VERBOSE'])
    closing.push(() => sshd.remove())
    const proxy = await startProxy(sshd.machine)
    closing.push(() => proxy.close())
    const stranger = reachWith(generateKeyPair('stranger').privateKey)
    await expect(stranger.waitForSsh(proxy.machine, { timeout: 3_000 })).rejects.toThrow(/refused the login/)
    expect(proxy.accepted).toBeLessThanOrEqual(2)
  })
})
