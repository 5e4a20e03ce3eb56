import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { MachineAccess } from '../../../src/model/machine.ts'
import type { Reach } from '../../../src/model/reach.ts'
import { guestbookText } from '../../support/guestbook.ts'
import { machineSpec } from '../../support/store-fixtures.ts'
import { type CallOptions, deployBody, startTestApi, type TestApi } from './harness.ts'

const journal = (machine: MachineAccess) => [
  JSON.stringify({ __REALTIME_TIMESTAMP: '1700000000000000', MESSAGE: `hello from ${machine.name}` }),
  JSON.stringify({ __REALTIME_TIMESTAMP: '1700000001000000', MESSAGE: [226, 130, 172] }),
  'no JSON',
]
let commands: string[] = []
const reach = {
  exec: async (machine, command, options) => {
    commands.push(typeof command === 'string' ? command : command.text)
    for (const line of journal(machine)) options?.onLine?.(line)
    return { status: 0, stdout: '', stderr: '' }
  },
} as Partial<Reach> as Reach

let api: TestApi
beforeAll(async () => {
  api = await startTestApi({ reach })
})
afterAll(() => api?.stop())

const call = (method: string, path: string, options?: CallOptions) => api.call(method, path, options)
const submit = (name: string, body: object, headers: Record<string, string> = {}) =>
  call('POST', `/v1/deployments/${name}/operations`, { body, headers })

/** As if it had been deployed: machines that hold what they hold, release 1 in force, and nothing open. */
async function deployed(name: string) {
  const { store, tenantId } = api.database
  const { body } = await submit(name, deployBody(api))
  await store.operations.finish(body.id, { status: 'succeeded' })
  const deployment = await store.deployments.getByName(tenantId, name)
  if (!deployment?.cloudId) throw new Error('not there')
  for (const [component, stateful] of [
    ['web', false],
    ['db', true],
  ] as const) {
    const machine = {
      component,
      name: `${component}-1`,
      ordinal: 1,
      cloudId: deployment.cloudId,
      spec: machineSpec,
      stateful,
    }
    const row = await store.machines.ensureCreating(deployment.id, machine, { privateKey: 'x', publicKey: 'x' })
    const addresses = [{ address: '10.0.0.1', family: 4 as const, scope: 'private' as const, network: 'n' }]
    await store.machines.update(row.id, { status: 'ready', addresses, releaseNumber: 1, configureDigest: 'd' })
  }
  await store.deployments.setCurrentRelease(deployment.id, 1)
  return deployment
}

describe('waiting for an operation', () => {
  test('?wait answers when it ends, with its units', async () => {
    const { body } = await submit('waited', deployBody(api))
    const waiting = call('GET', `/v1/operations/${body.id}?wait=30s`)
    await api.database.store.operations.finish(body.id, {
      status: 'failed',
      error: { code: 'health-failed', message: 'web-1 is not healthy', machine: 'web-1' },
    })
    const { status, body: ended } = await waiting
    expect([status, ended]).toMatchObject([200, { status: 'failed', error: { machine: 'web-1' }, units: [] }])
  })

  test('?wait of one that does not end answers with it as it is; what is no duration is refused', async () => {
    const { body } = await submit('still', deployBody(api))
    expect((await call('GET', `/v1/operations/${body.id}?wait=50ms`)).body.status).toBe('queued')
    for (const wait of ['soon', '-1s', '1h', '5'])
      expect((await call('GET', `/v1/operations/${body.id}?wait=${wait}`)).status, wait).toBe(400)
  })
})

describe('server-sent events', () => {
  interface Told {
    id?: string
    event: string
  }

  /** Reads a whole stream; ends with the operation. */
  async function events(id: string, headers: Record<string, string> = {}): Promise<Told[]> {
    const { body, headers: answer } = await call('GET', `/v1/operations/${id}/events`, { headers })
    expect(answer.get('content-type')).toContain('text/event-stream')
    const blocks = (body as string).split('\n\n').filter((block) => block.includes('event:'))
    return blocks.map((block) => {
      const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, 'm').exec(block)?.[1]
      const id = field('id')
      return { event: field('event') ?? '', ...(id && { id }) }
    })
  }

  test('tell everything in order, and go on after Last-Event-ID', async () => {
    const { store } = api.database
    const { body } = await submit('followed', deployBody(api))
    await store.operations.appendEvents(
      body.id,
      Array.from({ length: 700 }, (_, n) => ({ type: 'log' as const, data: { level: 'info', message: `${n}` } })),
    )
    await store.operations.finish(body.id, { status: 'succeeded' })
    const all = await events(body.id)
    expect(all.at(-1)).toEqual({ event: 'end' })
    const ids = all.slice(0, -1).map(({ id }) => Number(id))
    expect(ids).toHaveLength(702)
    expect(ids).toEqual([...ids].sort((a, b) => a - b))
    const middle = ids[400] ?? 0
    const rest = await events(body.id, { 'last-event-id': String(middle) })
    expect(rest.slice(0, -1).map(({ id }) => Number(id))).toEqual(ids.slice(401))
    expect(await events(body.id, { 'last-event-id': String(ids.at(-1)) })).toEqual([{ event: 'end' }])
    expect((await call('GET', `/v1/operations/${body.id}/events`, { headers: { 'last-event-id': 'x' } })).status).toBe(
      400,
    )
  })

  test('come while it runs', async () => {
    const { store } = api.database
    const { body } = await submit('live', deployBody(api))
    const response = await fetch(`${api.url}/v1/operations/${body.id}/events`, {
      headers: { authorization: `Bearer ${api.token}` },
    })
    const reader = response.body?.getReader()
    const decoder = new TextDecoder()
    let text = ''
    const readUntil = async (word: string) => {
      while (!text.includes(word)) {
        const chunk = await reader?.read()
        if (!chunk || chunk.done) throw new Error(`ended without ${word}`)
        text += decoder.decode(chunk.value, { stream: true })
      }
    }
    await readUntil('queued')
    await store.operations.appendEvents(body.id, [{ type: 'log', data: { level: 'info', message: 'half-way' } }])
    await readUntil('half-way')
    expect(text).not.toContain('event: end')
    await store.operations.finish(body.id, { status: 'succeeded' })
    await readUntil('event: end')
  })
})

describe('the same request again', () => {
  test('same key, same body: the same operation, also when it is over; another body or deployment: refused', async () => {
    const headers = { 'idempotency-key': 'k-1' }
    const first = await submit('twice', deployBody(api), headers)
    await api.database.store.operations.finish(first.body.id, { status: 'succeeded' })
    const again = await submit('twice', deployBody(api), headers)
    expect([again.status, again.body.id, again.body.status]).toEqual([202, first.body.id, 'succeeded'])
    for (const [name, body] of [
      ['twice', { kind: 'check' }],
      ['other', deployBody(api)],
    ] as const) {
      const refused = await submit(name, body, headers)
      expect([refused.status, refused.body.code]).toEqual([422, 'idempotency-mismatch'])
    }
  })

  test('two at once give one operation', async () => {
    const headers = { 'idempotency-key': 'k-2' }
    const both = await Promise.all([1, 2, 3].map(() => submit('race', deployBody(api), headers)))
    expect(new Set(both.map(({ body }) => body.id)).size).toBe(1)
  })

  test('a destroy whose answer was lost: the same operation, also when the deployment is gone', async () => {
    const { store } = api.database
    const deployed = await submit('lost', deployBody(api))
    await store.operations.finish(deployed.body.id, { status: 'succeeded' })
    const headers = { 'idempotency-key': 'k-3' }
    const first = await submit('lost', { kind: 'destroy' }, headers)
    await store.operations.finish(first.body.id, { status: 'succeeded' })
    const stored = await store.operations.get(first.body.id)
    await store.deployments.remove(stored?.deploymentId ?? '')
    const again = await submit('lost', { kind: 'destroy' }, headers)
    expect([again.status, again.body.id]).toEqual([202, first.body.id])
  })

  test('a key that is too long is refused', async () => {
    expect((await submit('long', deployBody(api), { 'idempotency-key': 'k'.repeat(201) })).status).toBe(400)
  })
})

describe('whose it is', () => {
  test('another tenant’s operation and token are not there', async () => {
    const { store, postgres } = api.database
    const { body } = await submit('mine', deployBody(api))
    const { default: pg } = await import('pg')
    const client = new pg.Client({ host: postgres.socket, user: 'kitbag', database: 'kitbag' })
    await client.connect()
    const { rows } = await client.query('select * from tenants limit 1')
    const columns = Object.keys(rows[0])
    const other = { ...rows[0], id: 'ten_other', ...(columns.includes('name') && { name: 'other' }) }
    const names = columns.map((name) => `"${name}"`).join(', ')
    const places = columns.map((_, i) => `$${i + 1}`).join(', ')
    await client.query(
      `insert into tenants (${names}) values (${places})`,
      columns.map((name) => other[name]),
    )
    await client.end()
    const { token } = await store.tokens.create('ten_other', 'stranger')
    for (const [method, path] of [
      ['GET', `/v1/operations/${body.id}`],
      ['GET', `/v1/operations/${body.id}/events`],
      ['POST', `/v1/operations/${body.id}/cancel`],
      ['GET', '/v1/deployments/mine'],
    ] as const) {
      const answer = await call(method, path, { token })
      expect([answer.status, answer.body.code], path).toEqual([404, 'not-found'])
    }
    expect((await call('GET', '/v1/operations', { token })).body.items).toEqual([])
    expect((await call('GET', `/v1/operations/${body.id}`)).body.status).toBe('queued')
  })
})

describe('data', () => {
  test('destroying what holds data is refused at once, naming it, until it is named', async () => {
    await deployed('precious')
    const refused = await submit('precious', { kind: 'destroy' })
    expect([refused.status, refused.body]).toMatchObject([
      409,
      { code: 'data-loss-refused', problems: [{ path: 'components.db' }], fix: expect.stringContaining('db') },
    ])
    expect((await submit('precious', { kind: 'destroy', allowDataLoss: ['web'] })).status).toBe(409)
    expect((await call('GET', '/v1/operations?deployment=precious')).body.items).toHaveLength(1)
    const taken = await submit('precious', { kind: 'destroy', allowDataLoss: ['db'] })
    expect([taken.status, taken.body.request]).toEqual([202, { allowDataLoss: ['db'] }])
  })

  test('a secret that the release in force uses cannot be removed', async () => {
    await deployed('secretive')
    const refused = await call('DELETE', '/v1/deployments/secretive/secrets/db.password')
    expect([refused.status, refused.body.code]).toEqual([409, 'conflict'])
    await call('PUT', '/v1/deployments/secretive/secrets/OTHER', { body: { value: 'x' } })
    expect((await call('DELETE', '/v1/deployments/secretive/secrets/OTHER')).status).toBe(204)
  })

  test('a secret of 64 KiB is taken, a larger one refused; given ones must be there', async () => {
    const put = (value: string) => call('PUT', '/v1/deployments/big/secrets/KEY', { body: { value } })
    expect((await put('k'.repeat(64 * 1024))).status).toBe(200)
    expect((await put('k'.repeat(64 * 1024 + 1))).status).toBe(400)
    const text = guestbookText.replace('TITLE:', 'MAIL: ${secrets.MAIL_KEY}\n      TITLE:')
    const refused = await submit('big', deployBody(api, text))
    expect([refused.status, refused.body.problems]).toMatchObject([422, [{ path: 'secrets.MAIL_KEY' }]])
  })
})

describe('logs', () => {
  test('one JSON object a line, of every machine or some; what is not there is named', async () => {
    await deployed('talking')
    commands = []
    const { body, headers } = await call('GET', '/v1/deployments/talking/logs?lines=5')
    expect(headers.get('content-type')).toBe('application/x-ndjson')
    const lines = (body as string).trim().split('\n')
    const told = lines.map((line) => JSON.parse(line)).sort((a, b) => (a.machine + a.at < b.machine + b.at ? -1 : 1))
    expect(told).toMatchObject([
      { machine: 'db-1', component: 'db', at: '2023-11-14T22:13:20.000Z', message: 'hello from db-1' },
      { machine: 'db-1', message: '€' },
      { machine: 'web-1', message: 'hello from web-1' },
      { machine: 'web-1', message: '€' },
    ])
    for (const command of commands) {
      expect(command).toMatch(/--lines='?5'? /)
      expect(command).not.toContain('--follow')
    }
    commands = []
    await call('GET', '/v1/deployments/talking/logs?component=web&follow=true&all=true')
    expect(commands).toHaveLength(1)
    expect(commands[0]).toContain('--follow')
    expect(commands[0]).not.toContain('--identifier')
    const refused = await call('GET', '/v1/deployments/talking/logs?component=wbe')
    expect([refused.status, refused.body.problems]).toMatchObject([404, [{ nearest: 'web', allowed: ['db', 'web'] }]])
  })
})

test('every list goes page by page and ends', async () => {
  for (const name of ['p1', 'p2', 'p3', 'p4', 'p5']) {
    await call('PUT', `/v1/deployments/paged/secrets/${name}`, { body: { value: 'x' } })
    await call('POST', '/v1/tokens', { body: { name } })
    await call('POST', '/v1/clouds', { body: { name, provider: 'fake' } })
    await submit('paged', { ...deployBody(api), parameters: { title: name } })
  }
  for (const path of [
    '/v1/clouds',
    '/v1/tokens',
    '/v1/deployments',
    '/v1/operations',
    '/v1/operations?deployment=paged',
    '/v1/deployments/paged/secrets',
    '/v1/deployments/paged/releases',
  ]) {
    const query = path.includes('?') ? '&' : '?'
    const whole = (await call('GET', `${path}${query}limit=200`)).body.items
    expect(whole.length, path).toBeGreaterThanOrEqual(5)
    const items: unknown[] = []
    for (let cursor = ''; ; ) {
      const { body } = await call('GET', `${path}${query}limit=2${cursor && `&cursor=${cursor}`}`)
      items.push(...body.items)
      if (body.nextCursor === undefined) break
      expect(body.items).toHaveLength(2)
      cursor = body.nextCursor
    }
    expect(items, path).toEqual(whole)
  }
})
