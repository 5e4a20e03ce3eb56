import { once } from 'node:events'
import { connect } from 'node:net'
import { pack } from 'tar-stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sha256 } from '../../../src/lib/digest.ts'
import { guestbookText } from '../../support/guestbook.ts'
import { type Answer, deployBody, startTestApi, type TestApi } from './harness.ts'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi()
})
afterAll(() => api?.stop())

/** Problem details with this status and, where the input has places, one. */
function refused({ status, headers, body }: Answer, wanted: number | number[], detail: string | RegExp = /./): void {
  expect([wanted].flat(), JSON.stringify(body)).toContain(status)
  expect(headers.get('content-type')).toBe('application/problem+json')
  expect(body).toMatchObject({ status, type: `urn:kitbag:problem:${body.code}`, title: expect.any(String) })
  expect(body.detail).toMatch(detail)
}

const cloud = (name: string) => `{"name":${name},"provider":"fake"}`

describe('JSON: 400 with the place', () => {
  const table: [string, string | Buffer, string][] = [
    ['no JSON', '{"name":', 'name: found the end of the text instead of a JSON value (line 1, column 9)'],
    ['more than one value', `${cloud('"a"')} {}`, 'there is more text after the end of the JSON value'],
    ['NUL by escape', cloud('"a\\u0000"'), 'name: this value holds a NUL character (line 1, column 9)'],
    ['NUL as a byte', Buffer.from(cloud('"a\0"')), 'name: this value is not a JSON string'],
    ['a lone surrogate', cloud('"\\ud800"'), 'name: this value holds a lone surrogate'],
    ['bad UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'not UTF-8: byte 2 cannot be decoded'],
    ['20,000 levels', `{"name":${'['.repeat(20_000)}`, 'nested more than 64 levels deep'],
    ['20,000 levels of objects', '{"a":'.repeat(20_000), 'nested more than 64 levels deep'],
    ['a key twice', '{"name":"a",\n "name":"b"}', 'name: the key "name" is given twice (line 2, column 2)'],
    ['__proto__', '{"__proto__":{"name":"a"},"provider":"fake"}', '__proto__: the key __proto__ is not allowed'],
    ['a list', '[]', 'expected object'],
    ['an unknown field', '{"name":"a","provider":"fake","regoin":1}', 'unknown field "regoin"'],
    ['a name with ;', cloud('"a;b"'), 'name: '],
    ['a name with ../', cloud('"../etc"'), 'name: '],
    ['a name of 200 characters', cloud(`"${'a'.repeat(200)}"`), 'name: '],
  ]
  test.each(table)('%s', async (_, body, detail) => {
    const headers = { 'content-type': 'application/json' }
    const options = typeof body === 'string' ? { body } : { raw: body, headers }
    const answer = await api.call('POST', '/v1/clouds', options)
    refused(answer, 400)
    expect(answer.body.detail).toContain(detail)
    expect(answer.body.problems?.length).toBeGreaterThan(0)
  })

  test('what is not said to be JSON is not read as such', async () => {
    const headers = { 'content-type': 'text/plain' }
    refused(await api.call('POST', '/v1/clouds', { body: cloud('"a"'), headers }), [400, 415])
    expect((await api.call('GET', '/v1/clouds/a')).status).toBe(404)
  })
})

describe('paths: 400 or 404, whatever they are spelled like', () => {
  test.each([
    '/v1/deployments/a;b',
    '/v1/deployments/..%2f..%2fetc%2fpasswd',
    '/v1/deployments/%2e%2e',
    '/v1/deployments/a%00b',
    '/v1/deployments/%ff',
    `/v1/deployments/${'a'.repeat(5000)}`,
    '/v1/deployments/%5B__proto__%5D',
    '/v1/operations/op_../../x',
    '/v1/operations/op_%27%20or%201=1',
    '/v1/deployments?limit=0',
    '/v1/deployments?limit=1e9',
    '/v1/deployments?cursor=%00',
    '/v1/operations?status=nonsense',
    '/v1/operations?deployment=../x',
  ])('%s', async (path) => {
    const answer = await api.raw('GET', path)
    refused(answer, [400, 404, 405])
  })
})

describe('blueprints: 422 with file, line and column', () => {
  const levels = `apiVersion: kitbag/v1\nname: a\ncomponents:\n  db: ${'['.repeat(20_000)}`
  const bomb = `a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n${Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(10)}]`).join('\n')}`
  const table: [string, string, string][] = [
    ['a YAML bomb', bomb, 'more than 20000 values'],
    ['20,000 levels', levels, 'nested deeper than 64 levels'],
    ['a key twice', 'name: a\nname: b', 'the key name stands here twice'],
    ['__proto__', 'a:\n  __proto__: { polluted: true }', 'the key __proto__ is not allowed'],
    ['what is no YAML', 'a: [', 'blueprint.yaml:1:'],
    ['a source outside', guestbookText.replace('./app', '../../etc'), 'components.web.source'],
    ['a name with ;', guestbookText.replace('name: guestbook', 'name: "a;b"'), 'name'],
  ]
  test.each(table)('%s', async (_, text, detail) => {
    for (const path of ['/v1/validate', '/v1/deployments/a/plan']) {
      const answer = await api.call('POST', path, { body: { blueprint: { text } } })
      refused(answer, 422)
      expect(JSON.stringify(answer.body)).toContain(detail)
      expect(answer.body.problems[0]).toMatchObject({ file: 'blueprint.yaml', line: expect.any(Number) })
    }
  })

  test('everything that is wrong is told in one answer', async () => {
    const text = guestbookText
      .replace('replicas: ${', 'replcias: ${')
      .replace('port: 8080', 'port: eighty')
      .replace('recipe: postgresql', 'recipe: postgres')
      .replace('to: web', 'to: wbe')
    const { body } = await api.call('POST', '/v1/validate', { body: { blueprint: { text } } })
    const told = (body.problems as { path: string; nearest?: string }[]).map(({ path, nearest }) => [path, nearest])
    expect(told).toEqual([
      ['components.web.port', undefined],
      ['components.web.replcias', 'replicas'],
      ['components.db.recipe', 'postgresql'],
      ['toolkit.loadBalancer.listeners[0].to', 'web'],
    ])
  })

  test('a source that was not uploaded, an unknown cloud: nothing is left behind', async () => {
    const path = '/v1/deployments/a/operations'
    refused(await api.call('POST', path, { body: { ...deployBody(api), sources: {} } }), 422, 'was not uploaded')
    refused(await api.call('POST', path, { body: { ...deployBody(api), cloud: 'away' } }), 404, 'no cloud away')
    refused(await api.call('POST', path, { body: deployBody(api, 'a: [') }), 422)
    refused(await api.call('GET', '/v1/deployments/a'), 404)
  })
})

describe('size: 413', () => {
  const limit = 'the body is larger than 2 MiB'

  test('50 MB that say so are refused before they are sent', async () => {
    const { hostname, port } = new URL(api.url)
    const socket = connect(Number(port), hostname)
    socket.write(
      `POST /v1/clouds HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${api.token}\r\ncontent-type: application/json\r\ncontent-length: ${50 << 20}\r\n\r\n`,
    )
    // Not a byte of the body was sent.
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    expect(chunk.toString()).toMatch(/^HTTP\/1\.1 413 /)
    socket.destroy()
  })

  test('50 MB that do not say so are refused on the way, and not kept', async () => {
    let sent = 0
    function* chunks() {
      yield Buffer.from('{"name":"')
      for (; sent < 50 << 20; sent += 65_536) yield Buffer.alloc(65_536, 'a')
    }
    const headers = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' }
    refused(await api.raw('POST', '/v1/clouds', { headers, chunks: chunks() }), 413, limit)
    expect(sent).toBeLessThan(40 << 20)
  })

  test('a blueprint of more than 1 MiB; a blob that says it has more than 512 MiB', async () => {
    const text = `# ${'x'.repeat(1 << 20)}`
    refused(await api.call('POST', '/v1/validate', { body: { blueprint: { text } } }), [413, 422], '1048576 bytes')
    const headers = { 'content-length': String(600 << 20) }
    refused(await api.raw('PUT', `/v1/blobs/${'a'.repeat(64)}`, { headers }), 413, '512 MiB')
  })
})

describe('archives: 400 naming the entry', () => {
  interface Entry {
    name: string
    type?: 'symlink' | 'link' | 'fifo' | 'character-device'
    linkname?: string
  }

  async function archive(...entries: Entry[]): Promise<Buffer> {
    const tar = pack()
    for (const entry of entries) tar.entry({ ...entry }, entry.type ? '' : 'x')
    tar.finalize()
    const chunks: Buffer[] = []
    for await (const chunk of tar) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks)
  }

  const upload = (bytes: Buffer, digest = sha256(bytes)) => api.call('PUT', `/v1/blobs/${digest}`, { raw: bytes })

  test.each<[string, Entry]>([
    ['../', { name: '../evil' }],
    ['../ inside', { name: 'a/../../evil' }],
    ['an absolute path', { name: '/etc/evil' }],
    ['a link out', { name: 'evil', type: 'symlink', linkname: '../../etc/passwd' }],
    ['an absolute link', { name: 'evil', type: 'symlink', linkname: '/etc/passwd' }],
    ['a hard link', { name: 'evil', type: 'link', linkname: '/etc/passwd' }],
    ['a pipe', { name: 'evil', type: 'fifo' }],
    ['a device', { name: 'evil', type: 'character-device' }],
  ])('%s', async (_, entry) => {
    const answer = await upload(await archive({ name: 'fine' }, entry))
    refused(answer, 400)
    expect(answer.body.detail).toContain('evil')
  })

  test('what is no archive, and what is another than its name says', async () => {
    refused(await upload(Buffer.from('no archive at all')), 400)
    refused(await upload(await archive({ name: 'a' }), 'b'.repeat(64)), 400)
    const { body } = await api.call('POST', '/v1/blobs/missing', { body: { digests: ['b'.repeat(64)] } })
    expect(body.missing).toEqual(['b'.repeat(64)])
  })

  test('one that was refused cannot be deployed', async () => {
    const bytes = await archive({ name: '../evil' })
    await upload(bytes)
    const body = { ...deployBody(api), sources: { './app': sha256(bytes) } }
    refused(await api.call('POST', '/v1/deployments/a/operations', { body }), [400, 422])
  })
})
