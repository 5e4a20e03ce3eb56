import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { httpOverReach } from '../../../src/lib/http-over-reach.ts'
import type { Reach } from '../../../src/model/reach.ts'
import { freePort, noSshd, reachTo, startSshd, type TestSshd } from './openssh.ts'
import { startProxy } from './proxy.ts'

describe.skipIf(noSshd)(`streams through OpenSSH${noSshd ? ` (${noSshd})` : ''}`, () => {
  let sshd: TestSshd
  let reach: Reach
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.pipe(socket)
  })
  let path = ''
  const kinds: [string, (to?: Reach) => Promise<Duplex>][] = [
    ['unix socket', (to = reach) => to.connectUnix(sshd.machine, path)],
    ['TCP', (to = reach) => to.connectTcp(sshd.machine, '127.0.0.1', port)],
  ]
  let port = 0
  const tcp = createServer({ allowHalfOpen: true }, (socket) => server.emit('connection', socket))

  beforeAll(async () => {
    sshd = await startSshd()
    reach = reachTo(sshd.privateKey)
    path = join(sshd.folder, 'echo.sock')
    server.listen(path)
    tcp.listen(0, '127.0.0.1')
    await Promise.all([once(server, 'listening'), once(tcp, 'listening')])
    port = (tcp.address() as { port: number }).port
  })
  afterAll(async () => {
    await reach?.close()
    server.close()
    tcp.close()
    await sshd?.remove()
  })

  test.each(kinds)('%s: what is sent comes back, and each side may end first', async (_, open) => {
    const stream = await open()
    stream.write('hello ')
    stream.end('again')
    expect(await text(stream)).toBe('hello again')
  })

  test.each(kinds)('%s: 20 MB pass, whole', async (_, open) => {
    const bytes = randomBytes(20_000_000)
    const stream = await open()
    stream.end(bytes)
    const digest = (content: Buffer) => createHash('sha256').update(content).digest('hex')
    expect(digest(await buffer(stream))).toBe(digest(bytes))
  })

  test.each(kinds)('%s: destroying it closes the other end', async (_, open) => {
    const stream = await open()
    stream.write('x')
    await once(stream, 'data')
    expect(sockets.size).toBe(1)
    stream.destroy()
    await once(stream, 'close')
    await vi.waitFor(() => expect(sockets.size).toBe(0), { timeout: 120_000 })
  })

  test.each(kinds)('%s: a cut connection is an error, not an end', async (_, open) => {
    const own = reachTo(sshd.privateKey)
    const stream = await open(own)
    stream.write('x')
    await once(stream, 'data')
    const failed = once(stream, 'error')
    await own.close()
    expect((await failed)[0]).toMatchObject({ code: 'machine-unreachable', retryable: true })
    await vi.waitFor(() => expect(sockets.size).toBe(0), { timeout: 120_000 })
  })

  test('forwarded streams leave room for commands', async () => {
    const streams = await Promise.all(Array.from({ length: 40 }, () => reach.connectUnix(sshd.machine, path)))
    expect((await reach.exec(sshd.machine, 'echo ok')).stdout).toBe('ok\n')
    for (const stream of streams) stream.destroy()
  })

  test('a stream keeps its connection from being closed as unused', async () => {
    const proxy = await startProxy(sshd.machine)
    const own = reachTo(sshd.privateKey, { idle: 20 })
    const stream = await own.connectUnix(proxy.machine, path)
    await own.exec(sshd.machine, 'sleep 0.2')
    stream.end('still there')
    expect(await text(stream)).toBe('still there')
    await own.close()
    await proxy.close()
  })

  test('nobody at the other end is an error that names it', async () => {
    const nobody = await freePort()
    await expect(reach.connectTcp(sshd.machine, '127.0.0.1', nobody)).rejects.toMatchObject({
      code: 'service-failed',
      retryable: true,
      message: expect.stringMatching(`nothing answers at 127.0.0.1:${nobody} there: Connection refused`),
    })
    await expect(reach.connectUnix(sshd.machine, '/nowhere.sock')).rejects.toMatchObject({
      code: 'service-failed',
      message: expect.stringContaining('nothing answers at /nowhere.sock there'),
    })
  })

  test('an HTTP server that accepts and never answers is given up in time', async () => {
    const mute = createServer().listen(0, '127.0.0.1')
    await once(mute, 'listening')
    const target = { host: '127.0.0.1', port: (mute.address() as { port: number }).port, path: '/', timeout: 200 }
    await expect(httpOverReach(reach, sshd.machine, target)).rejects.toMatchObject({
      code: 'service-failed',
      retryable: true,
      message: expect.stringContaining('no answer within 200 ms'),
    })
    mute.close()
  })
})
