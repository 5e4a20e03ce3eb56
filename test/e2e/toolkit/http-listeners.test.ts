import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { connect as connectPlain, createServer } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { setChallenges } from '../../../src/toolkit/load-balancer/challenges.ts'

import { selfSigned } from '../../pure/toolkit/load-balancer/self-signed.ts'
import { until } from '../../support/until.ts'
import { images, noMachines } from '../providers/local-box.ts'
import { type Backend, startBackend } from './backend.ts'
import { type BalancerBox, balancerBox, type Wanted } from './balancer-box.ts'
import { handshake, tlsSocket } from './tls.ts'
import { ask } from './web-client.ts'

const secret = 'correct horse'
const users = [{ name: 'ops', password: { $ref: 'secrets.OPS' } }]
const health = { http: '/healthz' }

describe.skipIf(noMachines).each(images)(
  `listeners of http, https and tls, %s${noMachines ? ` (${noMachines})` : ''}`,
  (image) => {
    let box: BalancerBox
    let web: Backend
    let api: Backend
    const pems = {
      web: selfSigned('www.shop.example', { others: ['*.shop.example'] }),
      api: selfSigned('api.example'),
    }

    const certificates = (given: Record<string, string> = pems) =>
      Object.entries(given).map(([name, pem]) => ({ name, pem }))

    /** Everything that one configuration can hold, so that each test need not make another. */
    const section = (more: object = {}) => ({
      listeners: [
        { port: 80, redirect: { scheme: 'https', status: 308 } },
        {
          port: 443,
          protocol: 'https',
          certificates: ['web', 'api'],
          hsts: { maxAge: '1d' },
          to: 'web',
          health,
          routes: [
            { host: 'api.example', to: 'api' },
            { path: '/api', to: 'api' },
            { path: '/exact', exact: true, to: 'api' },
            { header: { 'X-Canary': 'yes' }, to: 'api' },
            { host: 'old.example', redirect: { host: 'www.shop.example', status: 302 } },
          ],
          compression: true,
        },
        { port: 8001, to: 'web', health, allow: ['192.0.2.0/24'], accessLog: false },
        { port: 8002, to: 'web', health, deny: ['0.0.0.0/0'] },
        { port: 8003, to: 'web', health, rateLimit: { requests: 5, per: '1h' } },
        { port: 8004, to: 'web', health, basicAuth: { realm: 'Back office', users } },
        { port: 8005, to: 'web', health, limits: { body: '10B', headers: '1KiB' } },
        { port: 8006, to: 'web', health, proxyProtocol: { acceptFrom: ['0.0.0.0/0'] } },
        { port: 8007, to: { addresses: [box.host], port: sniffPort }, name: 'sniffer', proxyProtocol: { send: 'v2' } },
        { port: 8008, routes: [{ path: '/only', to: 'web' }], health },
        {
          port: 8443,
          protocol: 'tcp',
          name: 'passthrough',
          routes: [{ host: 'inside.example', to: { addresses: [box.host], port: insidePort } }],
        },
      ],
      maintenance: { page: '<h1>Closed for "a while"</h1>', retryAfter: '2m' },
      ...more,
    })
    let insidePort = 1
    let sniffPort = 1
    const inside = createTlsServer()
    /** Answers with the first bytes of a connection, in hexadecimal. */
    const sniffer = createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', (bytes) => socket.end(`HTTP/1.0 200 OK\r\n\r\n${bytes.subarray(0, 12).toString('hex')}`))
    })
    const wanted = (more: Partial<Wanted> = {}): Wanted => ({
      section: section(),
      members: { web: [web], api: [api] },
      certificates: certificates(),
      secrets: { OPS: secret },
      ...more,
    })
    const at = (port: number, path = '/') => `http://${box.node.address}:${port}${path}`
    const https = (path = '/') => `https://${box.node.address}${path}`

    beforeAll(async () => {
      const pem = selfSigned('inside.example')
      inside.setSecureContext({ key: pem, cert: pem })
      inside.on('secureConnection', (socket) => socket.end('hello from inside'))
      inside.listen(0, '0.0.0.0')
      await once(inside, 'listening')
      insidePort = (inside.address() as AddressInfo).port
      sniffer.listen(0, '0.0.0.0')
      await once(sniffer, 'listening')
      sniffPort = (sniffer.address() as AddressInfo).port
      ;[web, api] = await Promise.all([startBackend('web-1'), startBackend('api-1')])
      box = await balancerBox(image)
      await box.configure(wanted(), { first: true })
      await until(
        async () => (await box.server('web-1'))?.status === 'UP' && (await box.server('api-1', 'api'))?.status === 'UP',
      )
    })

    afterAll(async () => {
      inside.close()
      sniffer.close()
      for (const backend of [web, api]) await backend?.close()
      await box?.close()
    })

    test('a second configure finds nothing to do', async () => {
      expect(await box.configure(wanted())).toMatchObject({ changed: 0, suppressed: ['reload:haproxy'] })
    })

    test('http goes to https, with path and query', async () => {
      const { status, headers } = await ask(at(80, '/a?b=c'), { host: 'www.shop.example' })
      expect([status, headers.location]).toEqual([308, 'https://www.shop.example/a?b=c'])
    })

    test('the name that a client asks for chooses the certificate; the first is for the others', async () => {
      const names = async (name: string) => (await handshake(box.node.address, 443, name)).names
      expect(await names('www.shop.example')).toContain('DNS:*.shop.example')
      expect(await names('m.shop.example')).toContain('DNS:*.shop.example')
      expect(await names('api.example')).toBe('DNS:api.example')
      expect(await names('nosuch.example')).toContain('DNS:www.shop.example')
    })

    test('HTTP/2 by ALPN, TLS 1.2 and 1.3, nothing older', async () => {
      const shake = (options: Parameters<typeof handshake>[3]) =>
        handshake(box.node.address, 443, 'www.shop.example', options)
      expect(await shake({ alpn: ['h2', 'http/1.1'] })).toMatchObject({ alpn: 'h2', version: 'TLSv1.3' })
      expect(await shake({ maxVersion: 'TLSv1.2' })).toMatchObject({ alpn: 'http/1.1', version: 'TLSv1.2' })
      await expect(shake({ maxVersion: 'TLSv1.1' })).rejects.toThrow()
      const session = connectHttp2(https(), { servername: 'www.shop.example', rejectUnauthorized: false })
      try {
        const stream = session.request({ ':path': '/api/x', ':authority': 'www.shop.example' })
        const [headers] = (await once(stream, 'response')) as [Record<string, string>]
        stream.resume()
        expect([headers[':status'], headers['x-served-by']]).toEqual([200, 'api-1'])
      } finally {
        session.destroy()
      }
    })

    test('host, path and header choose the component', async () => {
      const servedBy = async (host: string, path: string, headers = {}) =>
        (await ask(https(path), { host, headers })).headers['x-served-by']
      expect(await servedBy('www.shop.example', '/')).toBe('web-1')
      expect(await servedBy('api.example', '/')).toBe('api-1')
      expect(await servedBy('API.example:443', '/')).toBe('api-1')
      expect(await servedBy('www.shop.example', '/api')).toBe('api-1')
      expect(await servedBy('www.shop.example', '/api/x?y')).toBe('api-1')
      expect(await servedBy('www.shop.example', '/apis')).toBe('web-1')
      expect(await servedBy('www.shop.example', '/exact')).toBe('api-1')
      expect(await servedBy('www.shop.example', '/exact/x')).toBe('web-1')
      expect(await servedBy('www.shop.example', '/', { 'x-canary': 'yes' })).toBe('api-1')
      expect(await servedBy('www.shop.example', '/', { 'x-canary': 'yes, no' })).toBe('web-1')
      const { status, headers } = await ask(https('/a'), { host: 'old.example' })
      expect([status, headers.location]).toEqual([302, 'https://www.shop.example/a'])
      expect((await ask(at(8008, '/'))).status).toBe(404)
      expect((await ask(at(8008, '/only'))).status).toBe(200)
    })

    test('applications see the client and how it came; clients see HSTS; texts are compressed', async () => {
      const { body } = await ask(https('/headers'), { host: 'www.shop.example' })
      expect(JSON.parse(body)).toMatchObject({
        'x-forwarded-proto': 'https',
        'x-forwarded-for': expect.stringMatching(/^[\d.]+$/),
      })
      const { headers } = await ask(https('/long'), {
        host: 'www.shop.example',
        headers: { 'accept-encoding': 'gzip' },
      })
      expect(headers['strict-transport-security']).toBe('max-age=86400')
      expect(headers['content-encoding']).toBe('gzip')
      expect((await ask(at(8007, '/proxy'))).body).toBe('0d0a0d0a000d0a515549540a')
    })

    test('a WebSocket passes, over TLS', async () => {
      const socket = await tlsSocket(box.node.address, 443, 'www.shop.example')
      let text = ''
      socket.on('data', (chunk) => {
        text += chunk
      })
      socket.on('error', () => {})
      try {
        const upgrade =
          'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
        socket.write(`GET /socket HTTP/1.1\r\nHost: www.shop.example\r\n${upgrade}\r\n\r\n`)
        await until(() => text.includes('101 Switching Protocols'))
        socket.write('ping')
        await until(() => text.endsWith('echo ping'))
      } finally {
        socket.destroy()
      }
    })

    test('who may come: allow, deny, rate limit, users', async () => {
      expect((await ask(at(8001))).status).toBe(403)
      expect((await ask(at(8002))).status).toBe(403)
      const statuses: number[] = []
      for (let i = 0; i < 7; i++) statuses.push((await ask(at(8003))).status)
      expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429])
      expect((await ask(at(8003))).headers['retry-after']).toBe('3600')
      const { status, headers } = await ask(at(8004))
      expect([status, headers['www-authenticate']]).toEqual([401, 'Basic realm="Back office"'])
      const as = (password: string) => ({ authorization: `Basic ${Buffer.from(`ops:${password}`).toString('base64')}` })
      expect((await ask(at(8004), { headers: as('wrong') })).status).toBe(401)
      expect((await ask(at(8004), { headers: as(secret) })).status).toBe(200)
      expect(await box.run('cat /etc/haproxy/haproxy.cfg')).not.toContain(secret)
    })

    test('what several machines count together is a limit also while the others are away', async () => {
      await box.configure(wanted({ peers: [{ name: 'load-balancer-2', address: '192.0.2.9' }] }))
      const statuses: number[] = []
      for (let i = 0; i < 7; i++) statuses.push((await ask(at(8003))).status)
      expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429])
      await box.configure(wanted())
    })

    test('what is too large is refused', async () => {
      const post = (body: string, headers = {}) => ask(at(8005), { method: 'POST', body, headers })
      expect((await post('0123456789')).status).toBe(200)
      expect((await post('01234567890')).status).toBe(413)
      expect((await post('0', { 'transfer-encoding': 'chunked' })).status).toBe(411)
      expect((await ask(at(8005), { headers: { 'x-long': 'x'.repeat(2000) } })).status).toBe(431)
    })

    test('a PROXY header tells the client', async () => {
      const socket = connectPlain(8006, box.node.address)
      let text = ''
      socket.on('data', (chunk) => {
        text += chunk
      })
      try {
        socket.write('PROXY TCP4 203.0.113.7 192.0.2.1 1234 80\r\nGET /headers HTTP/1.1\r\nHost: x\r\n\r\n')
        await until(() => text.includes('"x-forwarded-for":"203.0.113.7"'))
      } finally {
        socket.destroy()
      }
    })

    test('TLS passes through by its name, and is not ended', async () => {
      const socket = await tlsSocket(box.node.address, 8443, 'inside.example')
      expect(socket.getPeerCertificate().subjectaltname).toBe('DNS:inside.example')
      const [text] = await once(socket, 'data')
      expect(String(text)).toBe('hello from inside')
      socket.destroy()
      await expect(tlsSocket(box.node.address, 8443, 'nosuch.example')).rejects.toThrow()
    })

    test('a renewed certificate is in force without a reload, and open connections go on', async () => {
      const worker = await box.worker()
      const before = await handshake(box.node.address, 443, 'www.shop.example')
      const open = await tlsSocket(box.node.address, 443, 'www.shop.example')
      const renewed = { ...pems, web: selfSigned('www.shop.example', { others: ['shop.example'] }) }
      try {
        const { suppressed, changed } = await box.configure(wanted({ certificates: certificates(renewed) }))
        // The certificate, and the list by which its end is watched.
        expect([suppressed, changed]).toEqual([['reload:haproxy'], 2])
        expect(await box.worker()).toBe(worker)
        const after = await handshake(box.node.address, 443, 'www.shop.example')
        expect(after.fingerprint).not.toBe(before.fingerprint)
        expect((await handshake(box.node.address, 443, 'shop.example')).fingerprint).toBe(after.fingerprint)
        let text = ''
        open.on('data', (chunk) => {
          text += chunk
        })
        open.write('GET / HTTP/1.1\r\nHost: www.shop.example\r\n\r\n')
        await until(() => text.includes('hello'))
        await box.run('systemctl restart haproxy')
        expect((await handshake(box.node.address, 443, 'shop.example')).fingerprint).toBe(after.fingerprint)
        expect(
          await box.run('stat -c %a:%U /etc/haproxy/kitbag/certificates /etc/haproxy/kitbag/certificates/*'),
        ).toMatch(/^700:root\n600:root\n600:root$/)
      } finally {
        open.destroy()
        await box.configure(wanted())
      }
    })

    test('maintenance: the page, at once, without a reload, for one backend', async () => {
      const worker = await box.worker()
      await box.configure(wanted({ overrides: { 'maintenance:web': { on: true } } }))
      const { status, headers, body } = await ask(https(), { host: 'www.shop.example' })
      expect([status, headers['retry-after'], body]).toEqual([503, '120', '<h1>Closed for "a while"</h1>'])
      expect((await ask(https(), { host: 'api.example' })).status).toBe(200)
      await box.run('systemctl reload haproxy')
      await until(async () => (await box.worker()) !== worker)
      expect((await ask(https(), { host: 'www.shop.example' })).status).toBe(503)
      await box.configure(wanted())
      expect((await ask(https(), { host: 'www.shop.example' })).status).toBe(200)
    })

    test('ACME challenges are answered at run time, stay through a reload, and no configure touches them', async () => {
      const context = { reach: box.reach, machines: [box.node] }
      const token = (name: string) => at(80, `/.well-known/acme-challenge/${name}`)
      for (let i = 0; i < 2; i++)
        await setChallenges(
          context,
          new Map([
            ['tok_1', 'tok_1.print-A'],
            ['tok-2', 'tok-2.print'],
          ]),
        )
      const { status, headers, body } = await ask(token('tok_1'))
      expect([status, headers['content-type'], body]).toEqual([200, 'text/plain', 'tok_1.print-A'])
      expect(await box.configure(wanted())).toMatchObject({ changed: 0 })
      const worker = await box.worker()
      await box.run('systemctl reload haproxy')
      await until(async () => (await box.worker()) !== worker)
      expect((await ask(token('tok-2'))).body).toBe('tok-2.print')
      await setChallenges(context, new Map([['tok-2', 'tok-2.other']]))
      expect((await ask(token('tok_1'))).status).toBe(308)
      expect((await ask(token('tok-2'))).body).toBe('tok-2.other')
      await setChallenges(context, new Map())
      expect((await ask(token('tok-2'))).status).toBe(308)
      await expect(setChallenges(context, new Map([['a b', 'c']]))).rejects.toThrow('is none')
    })

    test('the access log has a line for each request, as documented', async () => {
      await ask(https('/logged?secret=1'), { host: 'www.shop.example' })
      const line = /^access web web-1 200 \d+ \d+ 443 [\d.]+ GET \d+ -- \/logged$/m
      await until(async () => line.test(await box.run('journalctl --quiet --output=cat --unit=haproxy --lines=50')))
    })

    test('files of listeners that are gone go too, keys first of all', async () => {
      await box.configure(wanted({ section: { listeners: [{ port: 80, to: 'web', health }] }, certificates: [] }))
      expect(await box.run('ls /etc/haproxy/kitbag/certificates /etc/haproxy/kitbag/tables')).toBe(
        '/etc/haproxy/kitbag/certificates:\n\n/etc/haproxy/kitbag/tables:',
      )
      expect((await ask(at(80))).status).toBe(200)
      await box.configure(wanted())
    })
  },
)
