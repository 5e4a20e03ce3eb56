import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { freePorts } from '../../src/main/embedded/free-port.ts'
import { signerFile, toSigner } from '../../src/toolkit/monitoring/webhook-signer.ts'
import { isSigned } from '../support/is-signed.ts'
import { until } from '../support/until.ts'
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts'

const missing = spawnSync('python3', ['--version']).status === 0 ? '' : ' (there is no python3)'

/** Of umlauts and spaces: a secret is any text. */
const secret = 'hush hush, größer'
const body = JSON.stringify({ status: 'firing', alerts: [{ annotations: { summary: 'Grüße "an" alle\n' } }] })

describe.skipIf(missing !== '')(`what signs webhooks${missing}`, () => {
  let receiver: WebhookReceiver
  let folder: string
  let signer: ChildProcess
  let port: number
  let log = ''

  const post = (name: string, { key, text = body }: { key?: string; text?: string } = {}) => {
    const door = toSigner(name, { webhook: { url: '', secret: secret as never } } as never)
    return fetch(`${door?.url.replace('9095', String(port))}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key ?? door?.token}`, 'content-type': 'application/json' },
      body: text,
    })
  }

  beforeAll(async () => {
    receiver = await startWebhookReceiver()
    const url = `http://127.0.0.1:${receiver.port}/alerts?of=shop`
    const [own = 0, closed = 0] = await freePorts(2)
    port = own
    const { configuration } = signerFile({
      ops: { url, secret },
      gateway: { url, secret, token: 'let-me-in' },
      named: { url: url.replace('//', '//us%40er:pa%3Ass@'), secret },
      gone: { url: `http://127.0.0.1:${closed}/`, secret },
      nowhere: { url: 'https://ops.invalid/', secret },
      unsafe: { url: url.replace('http:', 'https:'), secret },
    })
    folder = await mkdtemp(join(tmpdir(), 'kitbag-signer-'))
    await writeFile(join(folder, 'receivers'), configuration)
    signer = spawn('python3', ['-I', 'recipes/webhook-signer/webhook-signer.py', String(port)], {
      env: { PATH: process.env.PATH, CREDENTIALS_DIRECTORY: folder },
    })
    for (const stream of [signer.stdout, signer.stderr]) stream?.on('data', (chunk) => (log += chunk))
    await until(async () => {
      if (signer.exitCode !== null) throw new Error(`it ended: ${log}`)
      return (await post('nobody').catch(() => undefined)) !== undefined
    })
  })

  afterAll(async () => {
    if (signer && signer.exitCode === null) {
      signer.kill()
      await once(signer, 'exit')
    }
    await receiver?.close()
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  beforeEach(() => {
    receiver.hooks.length = 0
    receiver.answer(200)
  })

  test('passes a notification on byte for byte, with a signature that the documented check accepts', async () => {
    expect((await post('ops')).status).toBe(200)
    const [{ path, text, headers }] = receiver.hooks as [(typeof receiver.hooks)[number]]
    expect([path, text, headers['content-type']]).toEqual(['/alerts?of=shop', body, 'application/json'])
    const header = String(headers['x-kitbag-signature'])
    expect(header).toMatch(/^t=\d+,v1=[0-9a-f]{64}$/)
    expect(isSigned(header, text, secret)).toBe(true)
    expect(headers.authorization).toBeUndefined()
  })

  test.each<[string, (header: string) => Parameters<typeof isSigned>]>([
    ['another secret', (header: string) => [header, body, 'hush']],
    ['another body', (header: string) => [header, body.replace('firing', 'resolved'), secret]],
    ['a later time than was signed', (header: string) => [header.replace(/^t=\d/, 't=9'), body, secret]],
    ['a signature cut short', (header: string) => [header.slice(0, -2), body, secret]],
    ['no signature', () => [undefined, body, secret]],
    ['one of six minutes ago', (header: string) => [header, body, secret, Date.now() / 1000 + 360]],
  ])('%s is refused by that check', async (_, change) => {
    await post('ops')
    expect(isSigned(...change(String(receiver.hooks[0]?.headers['x-kitbag-signature'])))).toBe(false)
  })

  test('logs in where the URL names a user, or a token is given', async () => {
    await post('gateway')
    await post('named')
    expect(receiver.hooks.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer let-me-in',
      `Basic ${Buffer.from('us@er:pa:ss').toString('base64')}`,
    ])
  })

  test.each([
    [503, 503],
    [429, 429],
    [403, 403],
    [204, 200],
    [307, 502],
  ])("a receiver's %d is told to Alertmanager as %d", async (said, told) => {
    receiver.answer(said, said === 307 ? { location: '/elsewhere' } : {})
    expect((await post('ops')).status).toBe(told)
    expect(receiver.hooks).toHaveLength(1)
  })

  test.each([
    ['gone', /refused/],
    ['nowhere', /not known|resolution/],
    ['unsafe', /SSL/],
  ])('a receiver that is %s is a failure that is tried again, and says why', async (name, why) => {
    const answer = await post(name)
    expect([answer.status, await answer.text()]).toEqual([502, expect.stringMatching(why)])
  })

  test('signs for Alertmanager alone, and what has a bound', async () => {
    expect((await post('ops', { key: 'guessed' })).status).toBe(401)
    expect((await post('nobody')).status).toBe(404)
    expect((await fetch(`http://127.0.0.1:${port}/ops`)).status).toBe(501)
    expect((await post('ops', { text: 'x'.repeat(2 ** 24 + 1) }).catch(() => ({ status: 413 }))).status).toBe(413)
    expect(receiver.hooks).toEqual([])
    expect((await post('ops')).status).toBe(200)
  })

  test('its log tells what became of each, and no secret', () => {
    expect(log).toContain("'ops': 200")
    expect(log).toContain("'gone': 502")
    for (const hidden of [secret, 'let-me-in', 'pa:ss', `:${receiver.port}`, 'Traceback'])
      expect(log).not.toContain(hidden)
  })
})
