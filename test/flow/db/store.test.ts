import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createBlobStore } from '../../../src/db/blobs.ts'
import { openDatabase, openPool } from '../../../src/db/database.ts'
import { openStore } from '../../../src/db/open.ts'
import type { Store } from '../../../src/db/store.ts'
import { createLog } from '../../../src/lib/log.ts'
import { addDeployment, emptyRelease, machineSpec, submit } from '../../support/store-fixtures.ts'
import { startTestStore, type TestStore } from '../../support/test-store.ts'

let running: TestStore
let store: Store
let tenantId: string

beforeAll(async () => {
  running = await startTestStore()
  store = running.store
  tenantId = running.tenantId
})
afterAll(() => running.stop())

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

async function* inPieces(bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function readAll(digest: string): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of store.blobs.read(tenantId, digest)) parts.push(part)
  return Buffer.concat(parts)
}

describe('installation', () => {
  test('two processes that start at once on an empty database see one installation', async () => {
    const fresh = await startTestStore()
    try {
      const [a, b] = await Promise.all([fresh.another(), fresh.another()])
      expect(await a.installation.get()).toEqual(await b.installation.get())
    } finally {
      await fresh.stop()
    }
  })

  test('another master key is refused', async () => {
    const opening = openStore({
      socket: running.postgres.socket,
      masterKey: randomBytes(32),
      generateKeyPair: () => ({ privateKey: '', publicKey: '' }),
      completeRelease: (spec) => spec,
      log: createLog({ level: 'error' }),
    })
    await expect(opening).rejects.toMatchObject({
      code: 'prerequisite-missing',
      fix: expect.stringContaining('KITBAG_MASTER_KEY_FILE'),
    })
  })
})

describe('tokens', () => {
  test('a token opens its tenant until it is removed', async () => {
    const { id, token } = await store.tokens.create(tenantId, 'ci')
    expect(token).toMatch(/^kbt_[\w-]{43}$/)
    expect(await store.tokens.authenticate(token)).toEqual({ tenantId, name: 'ci' })
    expect(await store.tokens.authenticate(`${token.slice(0, -1)}~`)).toBeUndefined()
    expect(await store.tokens.remove(tenantId, id)).toBe(true)
    expect(await store.tokens.authenticate(token)).toBeUndefined()
    expect(await store.tokens.remove(tenantId, id)).toBe(false)
  })
})

describe('clouds and deployments', () => {
  test('a name is taken once, credentials come back, a used cloud stays', async () => {
    const cloud = { name: 'c1', provider: 'aws', settings: { region: 'eu' }, credentials: { key: 'AKIA-secret' } }
    const { id } = await store.clouds.create(tenantId, cloud)
    await expect(store.clouds.create(tenantId, cloud)).rejects.toMatchObject({ code: 'conflict' })
    expect(await store.clouds.get(id)).toMatchObject({ credentials: { key: 'AKIA-secret' } })
    expect(JSON.stringify(await store.clouds.list(tenantId))).not.toContain('AKIA')
    const deployment = await store.deployments.ensure(tenantId, 'on-c1', id)
    await expect(store.clouds.remove(tenantId, 'c1')).rejects.toThrow(/still used by on-c1/)
    await store.deployments.remove(deployment.id)
    expect(await store.clouds.remove(tenantId, 'c1')).toBe(true)
  })

  test('ensure gives the same deployment to all who ask at once, and keeps it on its cloud', async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => addDeployment(store, tenantId, 'one')))
    expect(new Set(made.map(({ id }) => id)).size).toBe(1)
    const other = await store.clouds.create(tenantId, {
      name: 'other',
      provider: 'fake',
      settings: {},
      credentials: {},
    })
    await expect(store.deployments.ensure(tenantId, 'one', other.id)).rejects.toThrow(
      /is on cloud home and stays there/,
    )
  })

  test('a deployment without a cloud (a secret came first) takes the one of its first deploy', async () => {
    expect(await store.deployments.ensure(tenantId, 'later')).toMatchObject({ cloudId: null, cloud: null })
    expect(await addDeployment(store, tenantId, 'later')).toMatchObject({ cloud: 'home' })
  })

  test('it cannot be removed while it has machines', async () => {
    const { id } = await addDeployment(store, tenantId, 'busy')
    const cloud = await store.clouds.getByName(tenantId, 'home')
    const made = await store.machines.ensureCreating(
      id,
      { component: 'web', name: 'web-1', ordinal: 1, cloudId: cloud?.id ?? '', spec: machineSpec, stateful: false },
      { privateKey: 'private', publicKey: 'ssh-ed25519 A' },
    )
    await expect(store.deployments.remove(id)).rejects.toThrow(/still has machines: web-1/)
    await store.machines.remove(made.id)
    await store.deployments.remove(id)
    expect(await store.deployments.get(id)).toBeUndefined()
  })

  test('pages go from the newest to the oldest without a gap', async () => {
    const made = []
    for (const name of ['p1', 'p2', 'p3']) made.push((await addDeployment(store, tenantId, name)).id)
    const newest = made.sort().reverse()
    const first = await store.deployments.list(tenantId, { limit: 2 })
    const next = await store.deployments.list(tenantId, { limit: 1, after: first[1]?.id ?? '' })
    expect([...first, ...next].map(({ id }) => id)).toEqual(newest)
  })
})

describe('releases', () => {
  test('an unchanged one is the same, also asked for by many at once', async () => {
    const { id } = await addDeployment(store, tenantId, 'releases')
    const made = await Promise.all(Array.from({ length: 6 }, () => store.releases.ensure(id, emptyRelease('a'))))
    expect(made.map(({ number }) => number)).toEqual([1, 1, 1, 1, 1, 1])
    expect(await store.releases.ensure(id, emptyRelease('b'))).toMatchObject({ number: 2 })
    expect(await store.releases.ensure(id, emptyRelease('a'))).toMatchObject({ number: 3 })
    expect((await store.releases.list(id, { limit: 10, after: '3' })).map(({ number }) => number)).toEqual([2, 1])
    expect(await store.releases.get(id, 2)).toMatchObject({ spec: emptyRelease('b') })
  })
})

describe('machines', () => {
  test('the same name twice is the same row with the first key and token; the private key goes once it stands', async () => {
    const { id } = await addDeployment(store, tenantId, 'machines')
    const cloud = await store.clouds.getByName(tenantId, 'home')
    const wanted = {
      component: 'web',
      name: 'web-1',
      ordinal: 1,
      cloudId: cloud?.id ?? '',
      spec: machineSpec,
      stateful: false,
    }
    const key = (n: number) => ({ privateKey: `private ${n}`, publicKey: `public ${n}` })
    const made = await Promise.all([1, 2, 3, 4].map((n) => store.machines.ensureCreating(id, wanted, key(n))))
    expect(new Set(made.map((machine) => `${machine.id} ${machine.createToken} ${machine.hostKeyPrivate}`)).size).toBe(
      1,
    )
    expect(made[0]?.hostKeyPrivate.replace('private', 'public')).toBe(made[0]?.hostKey)
    const machineId = made[0]?.id ?? ''
    await store.machines.update(machineId, { status: 'created', providerId: 'i-1', user: 'debian', sshPort: 22 })
    expect(await store.machines.ensureCreating(id, wanted, key(9))).toMatchObject({
      id: machineId,
      hostKeyPrivate: '',
      providerId: 'i-1',
    })
    await store.machines.update(machineId, { installDigest: 'x' })
    await store.machines.update(machineId, { installDigest: null })
    expect(await store.machines.get(machineId)).toMatchObject({ installDigest: null, status: 'created' })
  })

  test('those with a firewall under way are behind, once a release is in force and nothing is under way', async () => {
    const deployment = await addDeployment(store, tenantId, 'behind')
    const wanted = { component: 'web', name: 'web-1', ordinal: 1, spec: machineSpec, stateful: false }
    const cloudId = deployment.cloudId ?? ''
    const made = await store.machines.ensureCreating(
      deployment.id,
      { ...wanted, cloudId },
      { privateKey: '', publicKey: '' },
    )
    const behind = async () => (await store.machines.behind()).map(({ name }) => name)
    await store.machines.update(made.id, { status: 'ready', firewallDigest: '' })
    expect(await behind()).toEqual([])
    await store.deployments.setCurrentRelease(deployment.id, 1)
    expect(await behind()).toEqual(['web-1'])
    const { operation } = await submit(store, deployment)
    expect(await behind()).toEqual([])
    await store.operations.finish(operation.id, { status: 'succeeded' })
    expect(await behind()).toEqual(['web-1'])
    await store.machines.update(made.id, { firewallDigest: 'x' })
    expect(await behind()).toEqual([])
  })

  test('a migration is recorded once', async () => {
    const { id } = await addDeployment(store, tenantId, 'migrations')
    await store.machines.recordMigration(id, 'web', 'one')
    await store.machines.recordMigration(id, 'web', 'one')
    await store.machines.recordMigration(id, 'web', 'two')
    expect(await store.machines.migrated(id, 'web')).toEqual(['one', 'two'])
  })
})

describe('secrets', () => {
  test('versions grow with the value only; a generated one is made once', async () => {
    const { id } = await addDeployment(store, tenantId, 'secrets')
    expect(await store.secrets.set(id, 'MAIL_KEY', 'a')).toBe(1)
    expect(await store.secrets.set(id, 'MAIL_KEY', 'a')).toBe(1)
    expect(await store.secrets.set(id, 'MAIL_KEY', 'b')).toBe(2)
    expect(await store.secrets.get(id, 'MAIL_KEY', 1)).toBe('a')
    const versions = await Promise.all(
      Array.from({ length: 6 }, () => store.secrets.ensureGenerated(id, 'db.password')),
    )
    expect(versions).toEqual([1, 1, 1, 1, 1, 1])
    expect(await store.secrets.get(id, 'db.password', 1)).toMatch(/^[A-Za-z0-9]{40}$/)
    expect((await store.secrets.list(id)).map(({ name, version }) => `${name} ${version}`)).toEqual([
      'MAIL_KEY 2',
      'db.password 1',
    ])
    expect(await store.secrets.remove(id, 'MAIL_KEY')).toBe(true)
    expect(await store.secrets.get(id, 'MAIL_KEY', 2)).toBeUndefined()
  })
})

describe('overrides', () => {
  test('set, change and delete by scope', async () => {
    const { id } = await addDeployment(store, tenantId, 'overrides')
    await store.overrides.set(id, 'scale', { web: { replicas: 3 } })
    await store.overrides.set(id, 'loadBalancer', { 'web/web-1': { state: 'drain' }, 'web/web-2': { weight: 5 } })
    await store.overrides.set(id, 'loadBalancer', { 'web/web-1': null, 'web/web-2': { weight: 7 } })
    expect(await store.overrides.list(id)).toEqual({
      scale: { web: { replicas: 3 } },
      loadBalancer: { 'web/web-2': { weight: 7 } },
    })
  })

  test('a key named __proto__ is a key like any other', async () => {
    const { id } = await addDeployment(store, tenantId, 'proto')
    await store.overrides.set(id, 'scale', JSON.parse('{"__proto__":{"replicas":3}}'))
    expect(Object.keys((await store.overrides.list(id)).scale ?? {})).toEqual(['__proto__'])
  })
})

describe('blobs', () => {
  test.each([0, 1, 2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, 3 * 2 ** 20 + 17])(
    '%i bytes come back as they were',
    async (size) => {
      const bytes = randomBytes(size)
      const digest = sha256(bytes)
      expect(await store.blobs.put(tenantId, digest, inPieces(bytes, 65_537))).toEqual({ size })
      expect(await store.blobs.has(tenantId, [digest, '0'.repeat(64)])).toEqual([digest])
      expect((await readAll(digest)).equals(bytes)).toBe(true)
    },
  )

  test('the same one uploaded many times at once is there once', async () => {
    const bytes = randomBytes(2 ** 21)
    const digest = sha256(bytes)
    await Promise.all(Array.from({ length: 5 }, () => store.blobs.put(tenantId, digest, inPieces(bytes, 9_999))))
    expect((await readAll(digest)).equals(bytes)).toBe(true)
  })

  test('bytes of another digest, and an upload that was cut, are not kept', async () => {
    const digest = sha256(Buffer.from('promised'))
    await expect(store.blobs.put(tenantId, digest, inPieces(Buffer.from('sent'), 2))).rejects.toMatchObject({
      code: 'invalid-request',
    })
    const cut = (async function* () {
      yield randomBytes(2 ** 20)
      throw new Error('connection reset')
    })()
    await expect(store.blobs.put(tenantId, digest, cut)).rejects.toThrow('connection reset')
    expect(await store.blobs.has(tenantId, [digest])).toEqual([])
    await expect(readAll(digest)).rejects.toMatchObject({ code: 'not-found' })
  })

  test('more than the limit is refused', async () => {
    const pool = openPool({ socket: running.postgres.socket }, createLog())
    const small = createBlobStore(openDatabase(pool), { largest: 2 ** 21 })
    const bytes = Buffer.alloc(2 ** 21 + 1)
    await expect(small.put(tenantId, sha256(bytes), inPieces(bytes, 2 ** 19))).rejects.toMatchObject({
      code: 'too-large',
    })
    expect(await small.put(tenantId, sha256(bytes.subarray(1)), inPieces(bytes.subarray(1), 2 ** 19))).toEqual({
      size: 2 ** 21,
    })
    await pool.end()
  })
})

describe('what PostgreSQL cannot hold', () => {
  test('is refused by name in what a user gives', async () => {
    const { id } = await addDeployment(store, tenantId, 'nul')
    await expect(store.overrides.set(id, 'scale', { 'a\0b': {} })).rejects.toMatchObject({ code: 'invalid-request' })
    await expect(store.overrides.set(id, 'scale', { a: { b: '\0' } })).rejects.toMatchObject({
      code: 'invalid-request',
    })
    await expect(store.releases.ensure(id, emptyRelease('\ud800'))).rejects.toMatchObject({ code: 'invalid-request' })
    expect(await store.deployments.getByName(tenantId, 'a\0b').catch((error) => error.code)).toBe('invalid-request')
  })
})
