import { rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cloudState, type FakeMachine } from '../../../src/providers/fake/cloud-state.ts'
import { fakeFolder } from '../../../src/providers/fake/driver.ts'
import { type CliControlPlane, shopText, startCliControlPlane } from './control-plane.ts'
import type { Ran } from './run-cli.ts'

// One control plane for all, and one deployment that goes through its life: the tests stand in its order.
let plane: CliControlPlane
let shop: string
beforeAll(async () => {
  plane = await startCliControlPlane()
  shop = plane.blueprint(shopText())
})
afterAll(() => plane?.stop())

const kitbag = (...args: string[]) => plane.kitbag(args)

/** With `--json`: the one value on standard output, and nothing on standard error. */
async function json(...args: string[]): Promise<{ status: number | null; body: never }> {
  const { status, stdout, stderr } = await plane.kitbag([...args, '--json'])
  expect(stderr).toBe('')
  return { status, body: JSON.parse(stdout) as never }
}

/** Exit code and code, after all of it was found to be problem details. */
async function problem(...args: string[]): Promise<unknown[]> {
  const { status, body } = await json(...args)
  const { type, code, title, detail } = body as Record<string, string>
  expect([type, typeof title, typeof detail]).toEqual([`urn:kitbag:problem:${code}`, 'string', 'string'])
  return [status, code]
}

function failed({ status, stdout, stderr }: Ran, exit: number, ...words: string[]): void {
  expect([status, stdout], stderr).toEqual([exit, ''])
  expect(stderr).toMatch(/^kitbag: /)
  for (const word of words) expect(stderr).toContain(word)
}

describe('cloud', () => {
  test('add, list, test, set, remove', async () => {
    expect(await kitbag('cloud', 'add', 'other', '--provider', 'fake', '--set', 'latency=1')).toEqual({
      status: 0,
      stdout: 'cloud other is connected\n',
      stderr: '',
    })
    expect((await kitbag('cloud', 'list')).stdout).toBe('NAME   PROVIDER\nhome   fake\nother  fake\n')
    const { body } = await json('cloud', 'list')
    expect(body).toMatchObject([{ name: 'home' }, { name: 'other', settings: { latency: 1 } }])
    const tested = await json('cloud', 'test', 'other')
    expect(tested).toMatchObject({ status: 0, body: { ok: true, findings: [{ name: 'fake', ok: true }] } })
    expect((await kitbag('cloud', 'test', 'other')).stdout).toContain('ok  fake')
    const file = join(dirname(shop), 'cloud.yaml')
    writeFileSync(file, 'latency: 2\nregions: [east]\n')
    expect(await kitbag('cloud', 'set', 'other', '--settings', file, '--set', 'latency=3')).toEqual({
      status: 0,
      stdout: 'cloud other has its new settings\n',
      stderr: '',
    })
    const changed = await json('cloud', 'set', 'other', '--set', 'pendingPolls=1')
    const settings = { latency: 3, regions: ['east'], pendingPolls: 1 }
    expect(changed).toMatchObject({ status: 0, body: { settings } })
    failed(await kitbag('cloud', 'set', 'other', '--set', 'latncy=1'), 3, 'latncy')
    expect(await json('cloud', 'remove', 'other')).toEqual({ status: 0, body: { removed: 'other' } })
    failed(await kitbag('cloud', 'remove', 'other'), 1, 'there is no cloud other')
  })

  test('what is wrong with one is named', async () => {
    failed(
      await kitbag('cloud', 'add', 'x', '--provider', 'locl'),
      3,
      'there is no provider locl',
      'Did you mean local?',
    )
    expect(await problem('cloud', 'add', 'home', '--provider', 'fake')).toEqual([4, 'conflict'])
    failed(await kitbag('cloud', 'add', 'x', '--provider', 'fake', '--set', 'latency'), 3, 'NAME=VALUE')
    failed(
      await kitbag('cloud', 'add', 'x', '--provider', 'fake', '--credentials', '/no/such/file'),
      3,
      '/no/such/file cannot be read: there is no such file',
    )
  })
})

describe('before there is anything', () => {
  test('lists are empty, and say what to do', async () => {
    expect((await json('list')).body).toEqual([])
    expect((await kitbag('list')).stdout).toContain('kitbag deploy FILE')
    expect((await json('operations')).body).toEqual([])
  })

  test('validate: right ones are called right, all that is wrong is told with its place', async () => {
    expect(await kitbag('validate', shop)).toEqual({
      status: 0,
      stdout: `${shop}: the blueprint shop is right\n`,
      stderr: '',
    })
    expect((await json('validate', shop)).body).toEqual({ ok: true, name: 'shop', secrets: [] })
    const wrong = plane.blueprint(
      shopText().replace('  replicas: {', '  replcias: {').replace('port: 8080', 'port: 99999'),
    )
    const told = await kitbag('validate', wrong)
    expect(told.status).toBe(3)
    expect(told.stderr).toContain('blueprint.yaml:10:11: components.web.port: must be at most 65535')
    expect(told.stderr).toContain('there is no parameter replicas (did you mean replcias?)')
    expect(await problem('validate', shop, '--set', 'repilcas=3')).toEqual([3, 'invalid-blueprint'])
  })

  test('files that cannot be read, folders that are not there', async () => {
    failed(await kitbag('plan', '/no/such.yaml'), 3, '/no/such.yaml cannot be read: there is no such file')
    failed(await kitbag('deploy', dirname(shop)), 3, 'it is a folder')
    const lonely = plane.blueprint(shopText('lonely'))
    rmSync(join(dirname(lonely), 'app'), { recursive: true })
    failed(await kitbag('deploy', lonely, '--cloud', 'home'), 3, 'app is not there; a folder is needed')
    const binary = plane.blueprint('')
    writeFileSync(binary, Buffer.from([0xff, 0xfe, 0x00]))
    failed(await kitbag('plan', binary), 3, 'bytes that are no UTF-8')
  })

  test('plan: what would be made; --exit-code tells whether anything would', async () => {
    const plan = await kitbag('plan', shop, '--cloud', 'home')
    expect(plan.status).toBe(0)
    expect(plan.stdout).toContain('  +   web-1 (web): create')
    expect(plan.stdout).toContain('Plan: 4 to create, 0 to update, 0 to replace, 0 to remove, 0 unchanged.')
    const { status, body } = await json('plan', shop, '--cloud', 'home', '--set', 'replicas=3', '--exit-code')
    expect(status).toBe(2)
    expect((body as { changes: unknown[] }).changes).toHaveLength(5)
  })

  test('plan: what it costs a month before and after, by component, with the date of the prices', async () => {
    const { stdout } = await kitbag('plan', shop, '--cloud', 'home')
    expect(stdout).toMatch(/^ {2}web x 2 +0\.00 +28\.00 +\+28\.00 +20\.00 +2\.00 +6\.00$/m)
    expect(stdout).toMatch(/^ {2}total +0\.00 +56\.00 +\+56\.00 +40\.00 +4\.00 +12\.00$/m)
    expect(stdout).toContain('Prices: fake of 2026-01-01 (its settings). Traffic is not counted.')
    const { body } = await json('plan', shop, '--cloud', 'home', '--set', 'replicas=3')
    expect(body).toMatchObject({ costs: { hours: 730, total: { after: { machines: 5, total: 70, currency: 'USD' } } } })
    await kitbag('cloud', 'add', 'dear', '--provider', 'fake')
    const dear = await kitbag('plan', shop, '--cloud', 'dear')
    expect(dear.stdout).toContain('Costs: unknown\nNot known: fake: machines have no known price\n')
    expect((await json('plan', shop, '--cloud', 'dear')).body).toMatchObject({
      costs: { total: { now: { total: 0 }, after: { machine: null, total: null }, difference: null } },
    })
    await kitbag('cloud', 'remove', 'dear')
  })

  test('deploy: without a cloud, with an unknown one, with a parameter out of its range', async () => {
    failed(await kitbag('deploy', shop), 3, 'shop has no cloud yet', '--cloud')
    failed(await kitbag('deploy', shop, '--cloud', 'hme'), 1, 'there is no cloud hme')
    failed(await kitbag('deploy', shop, '--cloud', 'home', '--set', 'replicas=99'), 3, 'replicas')
    failed(await kitbag('deploy', shop, '--cloud', 'home', '--set', 'replicas'), 3, 'NAME=VALUE')
  })
})

describe('deploy', () => {
  test('waits, tells each step on standard error, and its end', async () => {
    const { status, stdout, stderr } = await kitbag('deploy', shop, '--cloud', 'home', '--set', 'replicas=2')
    expect([status, stdout]).toEqual([0, 'deploy of shop: done\n'])
    expect(stderr).toMatch(/^web-1 +create +done \d+\.\d s$/m)
    expect(stderr).not.toContain('\u001b')
  })

  test('again with nothing changed does nothing; --json is the operation, as it ended', async () => {
    const { status, body } = await json('deploy', shop)
    expect(status).toBe(0)
    expect(body).toMatchObject({ deployment: 'shop', kind: 'deploy', status: 'succeeded', result: { units: 0 } })
    expect((await kitbag('plan', shop, '--exit-code')).status).toBe(0)
    const { stdout } = await kitbag('plan', shop)
    expect(stdout).toContain('Nothing to do.')
    expect(stdout).toMatch(/^ {2}total +56\.00 +56\.00 +0\.00 /m)
    expect((await kitbag('show', 'shop')).stdout).toContain(
      'costs 56.00 USD a month (machines 40.00, disks 4.00, addresses 12.00)',
    )
    expect((await json('show', 'shop')).body).toMatchObject({
      costs: { components: [{ component: 'db', total: 14 }, { machines: 1 }, { component: 'web', total: 28 }] },
    })
  })

  test('--no-wait only submits', async () => {
    const { status, stdout, stderr } = await kitbag('deploy', shop, '--no-wait')
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^op_[a-z0-9]{20} (queued|running)\n$/)
    const { body } = await json('deploy', shop, '--no-wait')
    expect((body as { id: string }).id).toMatch(/^op_/)
    // In turn behind those.
    expect((await kitbag('check', 'shop', '--wait')).status).toBe(0)
  })

  test('--name is another deployment of the same blueprint', async () => {
    const smaller = ['deploy', shop, '--name', 'shop-test', '--cloud', 'home', '--set', 'replicas=1']
    expect((await kitbag(...smaller)).status).toBe(0)
    expect((await json('show', 'shop-test')).body).toMatchObject({ name: 'shop-test', status: 'live', release: 1 })
    const gone = await kitbag('destroy', 'shop-test', '--yes', '--allow-data-loss', 'db')
    expect([gone.status, gone.stdout]).toEqual([0, 'destroy of shop-test: done\n'])
    failed(await kitbag('show', 'shop-test'), 1, 'there is no deployment shop-test', 'See kitbag list.')
  })
})

describe('what is there', () => {
  test('list and show', async () => {
    expect((await kitbag('list')).stdout).toMatch(/^NAME +STATUS +RELEASE +MACHINES +CLOUD\nshop +live +1 +4 +home\n$/)
    expect((await json('list')).body).toMatchObject([{ name: 'shop', machines: 4, release: 1 }])
    const { stdout } = await kitbag('show', 'shop')
    expect(stdout).toMatch(
      /^shop: live, release 1, cloud home\nhttp:\/\/\S+\ncosts 56.00 USD a month .*\nPrices: .*\n\nMACHINE/,
    )
    expect(stdout).toMatch(/^web-2 +web +ready +\S+ +1$/m)
    expect((await json('show', 'shop')).body).toMatchObject({ name: 'shop', url: expect.stringContaining('http') })
  })

  test('an unknown deployment names the nearest, in every command that takes one', async () => {
    for (const args of [
      ['show', 'shpo'],
      ['releases', 'shpo'],
      ['logs', 'shpo'],
      ['check', 'shpo'],
      ['scale', 'shpo', 'web=1'],
      ['rollback', 'shpo'],
      ['destroy', 'shpo', '--yes'],
      ['secret', 'list', 'shpo'],
      ['lb', 'stats', 'shpo'],
    ]) {
      failed(await kitbag(...args), 1, 'there is no deployment shpo', '(did you mean shop?)')
      expect(await problem(...args)).toEqual([1, 'not-found'])
    }
  })

  test('check', async () => {
    expect((await kitbag('check', 'shop')).stdout).toBe('check of shop: nothing differs from what was applied\n')
    expect((await json('check', 'shop')).body).toMatchObject({ kind: 'check', status: 'succeeded' })
  })

  test('logs: one JSON object a line; an unknown component or machine names those there are', async () => {
    expect(await kitbag('logs', 'shop', '--lines', '3')).toEqual({ status: 0, stdout: '', stderr: '' })
    expect((await kitbag('logs', 'shop', '-f', '--component', 'web', '--json')).status).toBe(0)
    failed(await kitbag('logs', 'shop', '--component', 'wbe'), 1, 'shop has no component wbe (did you mean web?)')
    failed(await kitbag('logs', 'shop', '--machine', 'web-9'), 1, 'shop has no machine web-9', 'web-1')
    failed(await kitbag('logs', 'shop', '--lines', 'many'), 3, '--lines many')
  })

  test('operations: all, a deployment’s, one', async () => {
    const { body } = await json('operations', 'shop')
    const [newest] = body as { id: string; kind: string; deployment: string }[]
    expect(newest).toMatchObject({ kind: 'check', deployment: 'shop' })
    const ids = (await kitbag('operations')).stdout.split('\n')
    expect(ids[0]).toMatch(/^ID +DEPLOYMENT +KIND +STATUS +MADE$/)
    expect(ids.some((line) => line.startsWith(newest?.id ?? '-'))).toBe(true)
    const one = await kitbag('operations', newest?.id ?? '')
    expect(one.stdout).toMatch(/^op_\S+: check of shop, succeeded, made /)
    expect(one.stdout).toMatch(/^web-1\/check +done/m)
    expect((await json('operations', newest?.id ?? '')).body).toMatchObject({ units: expect.any(Array) })
    failed(await kitbag('operations', 'op_aaaaaaaaaaaaaaaaaaaa'), 1, 'there is no operation op_aaaaaaaaaaaaaaaaaaaa')
    expect((await json('operations', 'nobody')).body).toEqual([])
  })
})

describe('secret', () => {
  test('set from standard input or a file, listed without its value, removed', async () => {
    const set = await plane.kitbag(['secret', 'set', 'shop', 'MAIL_KEY'], { input: 'hush\n' })
    expect(set).toEqual({ status: 0, stdout: 'MAIL_KEY is set (version 1); the next deploy uses it\n', stderr: '' })
    const file = join(dirname(shop), 'key.txt')
    writeFileSync(file, 'hush hush\n')
    expect((await json('secret', 'set', 'shop', 'MAIL_KEY', '--file', file)).body).toEqual({
      name: 'MAIL_KEY',
      version: 2,
    })
    const listed = await kitbag('secret', 'list', 'shop')
    expect(listed.stdout).toMatch(/^MAIL_KEY +2 /m)
    expect(listed.stdout).not.toContain('hush')
    expect((await json('secret', 'remove', 'shop', 'MAIL_KEY')).body).toEqual({ removed: 'MAIL_KEY' })
    failed(await kitbag('secret', 'remove', 'shop', 'MAIL_KEY'), 1, 'shop has no secret MAIL_KEY')
  })

  test('one that is in use stays; none at all is refused', async () => {
    failed(await kitbag('secret', 'remove', 'shop', 'db.password'), 4, 'db.password is in use by release 1 of shop')
    failed(await plane.kitbag(['secret', 'set', 'shop', 'EMPTY'], { input: '' }), 3, 'no value was given for EMPTY')
  })
})

describe('lb', () => {
  test('alone it lists its words', async () => {
    const { status, stdout } = await kitbag('lb')
    expect(status).toBe(0)
    expect(stdout).toMatch(/^kitbag lb drain +DEPLOYMENT BACKEND SERVER +Send no new clients/m)
    expect(stdout).toMatch(/^kitbag lb set +DEPLOYMENT BACKEND SERVER \[--set weight=\.\.\.\] \[--set state=\.\.\.\]/m)
    const words = ((await json('lb')).body as { name: string }[]).map(({ name }) => name)
    expect(words).toEqual(expect.arrayContaining(['show', 'stats', 'set', 'health', 'events']))
  })

  test('stats, drain, set, ready', async () => {
    const status = async () => {
      const { body } = await json('lb', 'stats', 'shop')
      const { servers } = body as { servers: { server: string; status: string; weight: number }[] }
      const found = servers.find(({ server }) => server === 'web-1')
      return found?.status === 'UP' ? `UP ${found.weight}` : found?.status
    }
    expect(await status()).toBe('UP 100')
    expect((await kitbag('lb', 'stats', 'shop')).stdout).toMatch(
      /^NODE +BACKEND +SERVER +ADDRESS +PORT +STATUS +STATE +WEIGHT +/m,
    )
    expect((await kitbag('lb', 'drain', 'shop', 'web', 'web-1')).stdout).toBe('push of shop: done\n')
    expect(await status()).toBe('DRAIN')
    expect((await kitbag('lb', 'set', 'shop', 'web', 'web-1', '--set', 'weight=50')).status).toBe(0)
    expect(await status()).toBe('DRAIN')
    expect((await json('lb', 'ready', 'shop', 'web', 'web-1')).body).toMatchObject({
      kind: 'push',
      status: 'succeeded',
    })
    expect(await status()).toBe('UP 50')
    expect((await kitbag('lb', 'show', 'shop')).stdout).toMatch(/^80 +http +true$/m)
    expect((await kitbag('lb', 'backends', 'shop')).stdout).toMatch(/^web +web$/m)
  })

  test.each([
    ['an unknown word', ['lb', 'drian', 'shop'], 3, ['there is no kitbag lb drian', 'did you mean drain?']],
    ['a missing argument', ['lb', 'drain', 'shop'], 3, ['kitbag lb drain takes DEPLOYMENT BACKEND SERVER']],
    ['an unknown backend', ['lb', 'drain', 'shop', 'wbe', 'web-1'], 1, ['no backend wbe', 'The backends are: web.']],
    ['an unknown server', ['lb', 'drain', 'shop', 'web', 'wbe-1'], 1, ['the backend web has no server wbe-1']],
    ['nothing to set', ['lb', 'set', 'shop', 'web', 'web-1'], 3, ['--set weight=50']],
    ['an unknown field', ['lb', 'set', 'shop', 'web', 'web-1', '--set', 'wieght=1'], 3, ['did you mean weight?']],
    ['a value out of its range', ['lb', 'set', 'shop', 'web', 'web-1', '--set', 'weight=999'], 3, ['weight']],
  ] as const)('%s is named', async (_, args, exit, words) => {
    failed(await kitbag(...args), exit, ...words)
    expect((await json(...args)).status).toBe(exit)
  })
})

test('the words of a service that a deployment lacks are listed, and refused for it', async () => {
  expect((await kitbag('dns')).stdout).toMatch(/^kitbag dns zones +DEPLOYMENT /m)
  failed(await kitbag('dns', 'zones', 'shop'), 3, 'shop has no dns')
})

describe('scale, releases, rollback', () => {
  test('scale', async () => {
    expect((await kitbag('scale', 'shop', 'web=3')).stdout).toBe('scale of shop: done\n')
    expect((await json('show', 'shop')).body).toMatchObject({ scale: { web: 3 } })
    failed(await kitbag('scale', 'shop', 'web=many'), 3, '"many" is not a number of machines for web')
    failed(await kitbag('scale', 'shop', 'web'), 3, 'NAME=VALUE')
    const unknown = await kitbag('scale', 'shop', 'wbe=1')
    expect(unknown.status).toBe(3)
    expect(unknown.stderr).toContain('there is no component wbe; known: web, db')
    const { status, body } = await json('scale', 'shop', 'db=2')
    expect([status, body]).toMatchObject([3, { status: 'failed', error: { code: 'not-supported' } }])
    // What failed last is said, and where to read more.
    expect((await kitbag('show', 'shop')).stdout).toMatch(/^last operation: scale failed \(kitbag operations op_/m)
  })

  test('rollback: to the one before, to a number, to none that there is', async () => {
    failed(await kitbag('rollback', 'shop'), 1, 'shop has no release before the one in force')
    writeFileSync(join(dirname(shop), 'app/server.js'), 'console.log(2)')
    expect((await kitbag('deploy', shop)).status).toBe(0)
    const { stdout } = await kitbag('releases', 'shop')
    expect(stdout).toMatch(/^2 +\S+ +[0-9a-f]{12} +in force$/m)
    expect((await kitbag('rollback', 'shop')).stdout).toBe('rollback of shop: done\n')
    expect((await json('releases', 'shop')).body).toMatchObject([
      { number: 2, current: false },
      { number: 1, current: true },
    ])
    expect((await json('rollback', 'shop', '2')).body).toMatchObject({ status: 'succeeded', request: { release: 2 } })
    failed(await kitbag('rollback', 'shop', '7'), 1, 'shop has no release 7', 'kitbag releases shop')
    failed(await kitbag('rollback', 'shop', 'one'), 3, '"one" is not the number of a release')
  })
})

describe('plans and data', () => {
  test('deploy --plan applies just that plan, or says that the world moved', async () => {
    writeFileSync(join(dirname(shop), 'app/server.js'), 'console.log(3)')
    const { digest } = (await json('plan', shop)).body as { digest: string }
    const stale = await kitbag('deploy', shop, '--plan', 'a'.repeat(64))
    expect([stale.status, stale.stdout]).toEqual([4, ''])
    expect(stale.stderr).toContain('does not hold any more')
    expect((await kitbag('deploy', shop, '--plan', digest)).status).toBe(0)
    failed(await kitbag('deploy', shop, '--plan', 'abc'), 3, 'plan')
  })

  test('replacing the database’s machine is refused until --allow-data-loss, with the plan that was shown', async () => {
    const bigger = plane.blueprint(
      shopText().replace('recipe: postgresql', 'recipe: postgresql\n    machine: { cpu: 1, memory: 2GiB }'),
    )
    const shown = await kitbag('plan', bigger)
    expect(shown.stdout).toContain('!! its data is lost')
    const refused = await kitbag('deploy', bigger)
    expect(refused.status).toBe(4)
    expect(refused.stderr).toContain('--allow-data-loss db')
    const { digest } = (await json('plan', bigger)).body as { digest: string }
    expect((await kitbag('deploy', bigger, '--plan', digest, '--allow-data-loss', 'db')).status).toBe(0)
  })
})

describe('what fails', () => {
  test('a failed first deploy is undone and says why; --keep-failed keeps what it made', async () => {
    const full = plane.blueprint(shopText('full'))
    await plane.cloud.set({ faults: [{ calls: ['createMachine'], machine: 'web-2', effect: 'refuse' }] })
    try {
      const undone = await kitbag('deploy', full, '--cloud', 'home')
      expect([undone.status, undone.stdout]).toEqual([1, ''])
      expect(undone.stderr).toContain('not authorized')
      expect(undone.stderr).toContain('what it had made was undone')
      expect(await machinesOf('full')).toEqual([])
      const { status, body } = await json('deploy', full, '--keep-failed')
      expect([status, body]).toMatchObject([1, { status: 'failed', error: { code: 'provider-failed' } }])
      expect((await machinesOf('full')).length).toBeGreaterThan(0)
    } finally {
      await plane.cloud.set({ faults: [] })
    }
    // It holds no data yet that could be lost.
    expect((await kitbag('destroy', 'full', '--yes', '--allow-data-loss', 'db')).status).toBe(0)
  })
})

describe('sweep and destroy', () => {
  test('sweep: nothing of what runs; a stray is named, then removed', async () => {
    expect((await kitbag('sweep')).stdout).toBe('nothing is left over\n')
    const [any] = await plane.cloud.machines()
    await stray(any as FakeMachine)
    const found = await kitbag('sweep')
    expect(found.stdout).toMatch(/^fake-\S+ +stray +home +left over$/m)
    expect(found.stdout).toContain('kitbag sweep --remove removes them.')
    expect((await json('sweep', '--remove')).body).toMatchObject({ machines: [{ name: 'stray', removed: true }] })
    expect((await json('sweep')).body).toEqual({ machines: [], addresses: [], residue: [] })
  })

  test('destroy: needs --yes where nobody can be asked, and a word for the data', async () => {
    failed(await kitbag('destroy', 'shop'), 3, 'needs --yes')
    failed(await kitbag('destroy', 'shop', '--yes'), 4, 'db-', 'holds data', '--allow-data-loss db')
    expect(await problem('destroy', 'shop', '--yes')).toEqual([4, 'data-loss-refused'])
    const { status, body } = await json('destroy', 'shop', '--yes', '--allow-data-loss', 'db')
    expect([status, body]).toMatchObject([0, { kind: 'destroy', status: 'succeeded' }])
    expect((await json('list')).body).toEqual([])
    expect(await plane.cloud.machines()).toEqual([])
  })
})

test('doctor: a finding per line, --json as a list; exit code 1 when something is missing', async () => {
  const { status, body } = await json('doctor')
  const findings = body as { name: string; ok: boolean }[]
  expect(findings).toContainEqual(expect.objectContaining({ name: 'Node', ok: true }))
  expect(status).toBe(findings.every(({ ok }) => ok) ? 0 : 1)
  const words = await plane.kitbag(['doctor'], { env: { TEMPORAL_CLI: '/no/such/program' } })
  expect(words.status).toBe(1)
  expect(words.stdout).toMatch(/^missing +Temporal: .*\/no\/such\/program/m)
})

test('a wrong token: exit code 3, and what to set', async () => {
  const env = { KITBAG_TOKEN: 'kbt_wrong' }
  failed(await plane.kitbag(['list'], { env }), 3, 'this token is not known', 'KITBAG_TOKEN')
  const { status, stdout } = await plane.kitbag(['list', '--json'], { env })
  expect([status, JSON.parse(stdout)]).toMatchObject([3, { code: 'unauthorized', status: 401 }])
})

async function machinesOf(deployment: string): Promise<string[]> {
  const { body } = await json('show', deployment)
  return (body as { machines: { name: string }[] }).machines.map(({ name }) => name)
}

/** A machine with the installation's tag that no row knows. */
async function stray({ tags, hostKey }: FakeMachine): Promise<void> {
  const folder = fakeFolder(plane.home, 'home')
  const made = {
    name: 'stray',
    token: 'stray',
    tags: { ...tags, machine: 'mac_nobody' },
    pending: 0,
    gone: false,
    hostKey,
  }
  await cloudState(folder).create(made)
}
