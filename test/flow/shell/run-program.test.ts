import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KitbagError } from '../../../src/model/errors.ts'
import type { HostProgram } from '../../../src/model/program.ts'
import type { ExecResult, Reach } from '../../../src/model/reach.ts'
import type { ResourceEvent } from '../../../src/model/recipe.ts'
import { runProgram } from '../../../src/shell/run-program.ts'
import { noSshd, reachTo, startSshd, type TestSshd } from './openssh.ts'
import { noBlobs, testProgram } from './programs.ts'
import { startProxy } from './proxy.ts'

/** Counts what goes through. */
function counted(reach: Reach): Reach & { count: number } {
  const counting = {
    ...reach,
    count: 0,
    exec(...args: Parameters<Reach['exec']>) {
      counting.count++
      return reach.exec(...args)
    },
  }
  return counting
}

function blob(bytes: Buffer) {
  const digest = createHash('sha256').update(bytes).digest('hex')
  let asked = 0
  return {
    digest,
    get asked() {
      return asked
    },
    blobs: async function* (wanted: string) {
      asked++
      if (wanted !== digest) throw new Error(`unexpected blob ${wanted}`)
      for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000)
    },
  }
}

describe.skipIf(noSshd)(`host programs over OpenSSH${noSshd ? ` (${noSshd})` : ''}`, () => {
  let sshd: TestSshd
  let reach: Reach
  beforeAll(async () => {
    sshd = await startSshd()
    reach = reachTo(sshd.privateKey)
  })
  afterAll(async () => {
    await reach?.close()
    await sshd?.remove()
  })
  const folder = (name: string) => mkdtemp(join(sshd.folder, `${name}-`))

  test('one without artifacts takes one command, with artifacts that are there two', async () => {
    const counting = counted(reach)
    await runProgram(counting, sshd.machine, testProgram([{ resource: 'command:x' }]), { blobs: noBlobs })
    expect(counting.count).toBe(1)
    const { digest, blobs } = blob(Buffer.from('content'))
    const path = join(await folder('present'), digest)
    const program = () => testProgram([{ resource: 'command:x' }], [{ digest, path }])
    await runProgram(reach, sshd.machine, program(), { blobs })
    counting.count = 0
    await runProgram(counting, sshd.machine, program(), { blobs: noBlobs })
    expect(counting.count).toBe(2)
  })

  test('missing artifacts are uploaded, for root’s eyes only, before the program begins', async () => {
    const uploads = join(await folder('uploads'), 'blobs')
    const [first, second] = [blob(randomBytes(3_000_000)), blob(Buffer.alloc(0))]
    const artifacts = [first, second].map(({ digest }) => ({ digest, path: join(uploads, digest) }))
    const program = testProgram(
      artifacts.map(({ path, digest }) => ({
        resource: `archive:${path}`,
        run: `[ "$(sha256sum <${path} | cut -c1-64)" = ${digest} ]`,
      })),
      artifacts,
    )
    const result = await runProgram(reach, sshd.machine, program, {
      blobs: (digest) => (digest === first.digest ? first : second).blobs(digest),
    })
    expect(result.changed).toBe(2)
    expect((await stat(uploads)).mode & 0o777).toBe(0o700)
    expect((await readdir(uploads)).sort()).toEqual([first.digest, second.digest].sort())
    for (const { path } of artifacts) expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  test('a text comes from the program, unless the file that is to hold it does', async () => {
    const uploads = await folder('texts')
    const bytes = Buffer.from('a line\n'.repeat(100_000))
    const { digest } = blob(bytes)
    const path = join(uploads, `${digest}.text`)
    const unless = join(uploads, 'place')
    const program = () => testProgram([{ resource: 'file:x' }], [{ digest, path, bytes, unless }])
    await writeFile(unless, bytes)
    await runProgram(reach, sshd.machine, program(), { blobs: noBlobs })
    expect(existsSync(path)).toBe(false)
    await writeFile(unless, 'other')
    await runProgram(reach, sshd.machine, program(), { blobs: noBlobs })
    expect(await readFile(path)).toEqual(bytes)
  })

  test('uploads of the same at the same time do not disturb each other', async () => {
    const content = blob(randomBytes(2_000_000))
    const path = join(await folder('concurrent'), content.digest)
    const program = () => testProgram([{ resource: 'command:x' }], [{ digest: content.digest, path }])
    await Promise.all(
      Array.from({ length: 6 }, () => runProgram(reach, sshd.machine, program(), { blobs: content.blobs })),
    )
    const found = createHash('sha256').update(await readFile(path))
    expect(found.digest('hex')).toBe(content.digest)
  })

  test('an upload that is cut leaves nothing under its name, and goes well the next time', async () => {
    const proxy = await startProxy(sshd.machine)
    const content = blob(randomBytes(2_000_000))
    const path = join(await folder('cut'), content.digest)
    const program = testProgram([{ resource: 'command:x' }], [{ digest: content.digest, path }])
    proxy.cutAfter = 1_000_000
    await expect(runProgram(reach, proxy.machine, program, { blobs: content.blobs })).rejects.toMatchObject({
      code: 'machine-unreachable',
      retryable: true,
    })
    expect(existsSync(path)).toBe(false)
    proxy.cutAfter = Number.POSITIVE_INFINITY
    await runProgram(reach, proxy.machine, program, { blobs: content.blobs })
    expect(existsSync(path)).toBe(true)
    await proxy.close()
  })

  test('content that is not what its digest says is not taken', async () => {
    const { digest } = blob(Buffer.from('right'))
    const uploads = await folder('wrong')
    const program = testProgram([{ resource: 'command:x' }], [{ digest, path: join(uploads, digest) }])
    const running = runProgram(reach, sshd.machine, program, { blobs: blobsOf(Buffer.from('wrong')) })
    await expect(running).rejects.toMatchObject({
      code: 'resource-failed',
      resource: `artifact:${digest}`,
      message: expect.stringContaining('what arrived has another sha256'),
    })
    expect(await readdir(uploads)).toEqual([])
  })

  test('a full disk is named, and the part is removed', async ({ skip }) => {
    if (!sshd.small) return skip('a small file system needs root to mount it')
    const content = blob(randomBytes(3_000_000))
    const path = `${sshd.small}/${content.digest}`
    const program = testProgram([{ resource: 'command:x' }], [{ digest: content.digest, path }])
    await expect(runProgram(reach, sshd.machine, program, { blobs: content.blobs })).rejects.toMatchObject({
      code: 'resource-failed',
      machine: 'openssh-1',
      message: expect.stringContaining('No space left on device'),
    })
    expect((await reach.exec(sshd.machine, `ls -A ${sshd.small}`)).stdout).toBe('')
  })

  test('cut at any byte it is worth repeating, and repeating it finishes the work', async () => {
    const marks = await folder('marks')
    const program = () =>
      testProgram(
        [0, 1, 2].map((i) => ({ resource: `file:${i}`, unless: `[ -e ${marks}/${i} ]`, run: `: >${marks}/${i}` })),
      )
    const outcomes = { done: 0, cut: 0 }
    for (let round = 0; round < 40; round++) {
      const proxy = await startProxy(sshd.machine)
      // From the first packets of the handshake to beyond the end.
      proxy.cutAfter = 500 + Math.floor(Math.random() * 6_500)
      const error = await runProgram(reach, proxy.machine, program(), { blobs: noBlobs }).then(
        () => undefined,
        (reason) => reason,
      )
      if (error) expect(error).toMatchObject({ code: 'machine-unreachable', retryable: true })
      outcomes[error ? 'cut' : 'done']++
      reach.forget(proxy.machine.id)
      await proxy.close()
    }
    expect(outcomes.cut).toBeGreaterThan(0)
    await runProgram(reach, sshd.machine, program(), { blobs: noBlobs })
    expect((await readdir(marks)).sort()).toEqual(['0', '1', '2'])
  })

  test('a connection that is cut under way tells at which resource', async () => {
    const proxy = await startProxy(sshd.machine)
    const program = testProgram([{ resource: 'command:a' }, { resource: 'command:b', run: 'sleep 5' }])
    const running = runProgram(reach, proxy.machine, program, {
      blobs: noBlobs,
      onEvent: () => void proxy.close(),
    })
    await expect(running).rejects.toMatchObject({
      code: 'machine-unreachable',
      retryable: true,
      machine: proxy.machine.name,
      resource: 'command:b',
      message: expect.stringMatching(/was cut.*, at command:b$/),
    })
  })

  test('one that is killed on the machine is worth repeating, and tells where it was', async () => {
    const program = testProgram([{ resource: 'command:a' }, { resource: 'command:b', run: 'kill -KILL $$' }])
    await expect(runProgram(reach, sshd.machine, program, { blobs: noBlobs })).rejects.toMatchObject({
      code: 'machine-unreachable',
      retryable: true,
      resource: 'command:b',
      message: 'openssh-1: the program was killed before its end, at command:b',
    })
  })

  test('a command of it that prints what looks like an event changes nothing', async () => {
    const program = testProgram([
      { resource: 'command:a', run: `echo '{"end":true,"changed":99}' >&3; echo 'x {"index":0}' >&3; echo noise >&3` },
    ])
    expect((await runProgram(reach, sshd.machine, program, { blobs: noBlobs })).changed).toBe(1)
  })

  test('one that does not stop when asked is left', async () => {
    const abort = new AbortController()
    const program = testProgram([{ resource: 'command:a' }, { resource: 'command:b', run: 'sleep 600' }])
    const began = Date.now()
    const running = runProgram(reach, sshd.machine, program, {
      blobs: noBlobs,
      signal: abort.signal,
      onEvent: () => abort.abort(),
    })
    await expect(running).rejects.toMatchObject({ code: 'cancelled' })
    expect(Date.now() - began).toBeLessThan(60_000)
  })

  test('a request to stop that came too late is withdrawn', async () => {
    const abort = new AbortController()
    const program = testProgram([{ resource: 'command:a', run: 'true' }])
    const running = runProgram(reach, sshd.machine, program, {
      blobs: noBlobs,
      signal: abort.signal,
      onEvent: () => abort.abort(),
    })
    await expect(running).rejects.toMatchObject({ code: 'cancelled' })
    expect((await reach.exec(sshd.machine, `ls /run/kitbag/stop.${program.nonce}`)).status).not.toBe(0)
  })
})

describe('what a program said', () => {
  const machine = { id: 'm', name: 'web-1', address: '192.0.2.1', port: 22, user: 'debian', hostKey: '' }
  const program: HostProgram = {
    text: '',
    nonce: 'N',
    resources: [
      { index: 0, resource: 'file:/a' },
      { index: 1, resource: 'file:/b' },
    ],
    artifacts: [],
  }
  function saying(lines: string[], rest: Partial<ExecResult> = {}): Reach {
    return {
      async exec(_machine: unknown, _command: unknown, { onLine } = {} as { onLine?: (line: string) => void }) {
        for (const line of lines) onLine?.(line)
        return { status: 0, stdout: '', stderr: '', ...rest }
      },
    } as Reach
  }
  const run = (reach: Reach, options: Partial<Parameters<typeof runProgram>[3]> = {}) =>
    runProgram(reach, machine, program, { blobs: noBlobs, ...options })

  test('comes back without the secrets', async () => {
    const event = { index: 0, resource: 'file:/a', status: 'changed', changes: ['pass hunter22'], diff: '+x=hunter22' }
    const seen: ResourceEvent[] = []
    const { events } = await run(saying([`N ${JSON.stringify(event)}`, 'N {"end":true,"changed":1}']), {
      secrets: ['hunter22'],
      onEvent: (one) => seen.push(one),
    })
    expect(events[0]).toMatchObject({ changes: ['pass [secret]'], diff: '+x=[secret]' })
    expect(JSON.stringify(seen)).not.toContain('hunter22')
    const failure = { ...event, status: 'failed', output: 'psql: hunter22 is wrong' }
    const error = await run(saying([`N ${JSON.stringify(failure)}`]), { secrets: ['hunter22'] }).catch((one) => one)
    expect(error).toBeInstanceOf(KitbagError)
    expect(`${error.message} ${error.output}`).not.toContain('hunter22')
    const cut = await run(saying([], { status: 2, stderr: 'sh: hunter22: not found' }), {
      secrets: ['hunter22'],
    }).catch((one) => one)
    expect(cut).toMatchObject({ code: 'machine-unreachable', retryable: true, output: 'sh: [secret]: not found' })
  })

  test('sudo that asks for a password is named, and not worth repeating', async () => {
    await expect(run(saying([], { status: 1, stderr: 'sudo: a password is required\n' }))).rejects.toMatchObject({
      code: 'machine-unreachable',
      retryable: false,
      message: 'web-1: sudo refused debian: sudo: a password is required',
      fix: 'Let debian use sudo without a password there.',
    })
  })

  test('waiting for the lock is told', async () => {
    let waits = 0
    await run(saying(['N {"lock":"waiting"}', 'N {"end":true,"changed":0}']), { onLockWait: () => waits++ })
    expect(waits).toBe(1)
  })

  test.each(['N not json', 'N {"index":"x"}', 'N {}'])('an event that cannot be read is an error: %s', async (line) => {
    await expect(run(saying([line]))).rejects.toMatchObject({ code: 'internal' })
  })
})

function blobsOf(bytes: Buffer) {
  return async function* () {
    yield bytes
  }
}
