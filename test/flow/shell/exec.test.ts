import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sh } from '../../../src/lib/sh.ts'
import type { Reach } from '../../../src/model/reach.ts'
import { noSshd, reachTo, startSshd, type TestSshd } from './openssh.ts'

describe.skipIf(noSshd)(`commands over OpenSSH${noSshd ? ` (${noSshd})` : ''}`, () => {
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

  test('status, output and errors come back apart', async () => {
    const answer = await reach.exec(sshd.machine, 'echo out; echo err >&2; exit 7')
    expect(answer).toEqual({ status: 7, stdout: 'out\n', stderr: 'err\n' })
  })

  test('a command ended by a signal has no status', async () => {
    expect((await reach.exec(sshd.machine, 'kill -KILL $$')).status).toBe(null)
  })

  test('quoted arguments arrive byte for byte', async () => {
    const value = `$(touch /tmp/x) \`id\` "quoted" 'single' \\ * \n \x1b[31m 🎒`
    expect((await reach.exec(sshd.machine, sh`printf %s ${value}`)).stdout).toBe(value)
  })

  test('200 at once share one connection and keep their answers apart', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) => reach.exec(sshd.machine, sh`echo ${i} "$SSH_CONNECTION"`)),
    )
    expect(answers.map(({ stdout }) => Number(stdout.split(' ')[0]))).toEqual(answers.map((_, i) => i))
    expect(new Set(answers.map(({ stdout }) => stdout.split(' ').slice(1).join(' '))).size).toBe(1)
  })

  test('root is reached by sudo unless the login is root', async () => {
    const answer = await reach.exec(sshd.withSudo, sh`echo ${"it's"} | tr a-z A-Z`, { root: true })
    expect(answer.stdout).toBe("IT'S\n")
    await reach.exec(sshd.withSudo, 'sh', { root: true, stdin: 'exit 0' })
    expect(await sshd.sudoLog()).toBe("-n sh -c echo 'it'\\''s' | tr a-z A-Z\n-n sh\n")
    expect((await reach.exec(sshd.withSudo, 'echo no sudo')).status).toBe(0)
    expect((await sshd.sudoLog()).split('\n')).toHaveLength(3)
  })

  test('lines are handed over while the command runs, whole, wherever it paused', async () => {
    const input = new PassThrough()
    const lines: string[] = []
    const running = reach.exec(
      sshd.machine,
      `printf '\\360\\237'; read -r x; printf '\\216\\222 %s\\nsecond\\nno newline' "$x"`,
      { stdin: input, onLine: (line) => lines.push(line) },
    )
    input.end('späť\n')
    expect((await running).stdout).toBe('🎒 späť\nsecond\nno newline')
    expect(lines).toEqual(['🎒 späť', 'second'])
  })

  test('what a line’s reader throws ends the wait', async () => {
    const onLine = () => {
      throw new Error('cannot read this')
    }
    await expect(reach.exec(sshd.machine, 'echo x; sleep 30', { onLine })).rejects.toThrow('cannot read this')
  })

  test('of long output the end is kept', async () => {
    const { stdout } = await reach.exec(sshd.machine, `head -c 3000000 /dev/zero | tr '\\0' x; echo end`)
    expect(stdout).toHaveLength(1024 * 1024)
    expect(stdout.endsWith('xxxend\n')).toBe(true)
  })

  test('50 MB go in no faster than they are taken', async () => {
    const chunk = Buffer.alloc(64 * 1024, 'kitbag ')
    const chunks = 800
    let made = 0
    async function* produce() {
      for (; made < chunks; made++) yield chunk
    }
    const go = join(sshd.folder, 'go')
    let proceed: () => void = () => {}
    const begun = new Promise<void>((resolve) => {
      proceed = resolve
    })
    const running = reach.exec(
      sshd.machine,
      sh`head -c 1048576 | sha256sum; until [ -e ${go} ]; do sleep 0.01; done; sha256sum`,
      { stdin: Readable.from(produce(), { objectMode: false }), onLine: proceed },
    )
    await Promise.race([begun, running])
    // Other commands go on meanwhile, and give the input every chance to run ahead.
    for (let i = 0; i < 50; i++) await reach.exec(sshd.machine, 'true')
    expect(made).toBeLessThan(160)
    await writeFile(go, '')
    const [first = '', rest = ''] = (await running).stdout.split('\n')
    const all = Buffer.concat(Array.from({ length: chunks }, () => chunk))
    const sum = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
    expect(first).toContain(sum(all.subarray(0, 1024 * 1024)))
    expect(rest).toContain(sum(all.subarray(1024 * 1024)))
  })

  test('input that nobody reads does not keep a command from ending', async () => {
    const endless = new Readable({ read: () => void endless.push(Buffer.alloc(65_536)) })
    expect((await reach.exec(sshd.machine, 'true', { stdin: endless })).status).toBe(0)
    expect(endless.destroyed).toBe(true)
    expect((await reach.exec(sshd.machine, 'true', { stdin: Buffer.alloc(50_000_000) })).status).toBe(0)
  })

  test('input that breaks off is an error, not a shorter input', async () => {
    async function* broken() {
      yield 'half'
      throw new Error('the disk is gone')
    }
    await expect(reach.exec(sshd.machine, 'cat', { stdin: Readable.from(broken()) })).rejects.toThrow(
      'the disk is gone',
    )
  })

  test('an abort ends the wait with its reason, at any moment', async () => {
    const reason = new Error('enough')
    await expect(reach.exec(sshd.machine, 'true', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const running = new AbortController()
    const stopped = reach.exec(sshd.machine, 'echo on; exec sleep 30', {
      signal: running.signal,
      onLine: () => running.abort(reason),
    })
    await expect(stopped).rejects.toBe(reason)
    const fresh = reachTo(sshd.privateKey)
    const connecting = new AbortController()
    const never = fresh.exec(sshd.machine, 'true', { signal: connecting.signal })
    connecting.abort(reason)
    await expect(never).rejects.toBe(reason)
    await fresh.close()
  })

  test('a command that takes too long is named', async () => {
    await expect(reach.exec(sshd.machine, 'sleep 30', { timeout: 50 })).rejects.toMatchObject({
      code: 'machine-unreachable',
      retryable: true,
      message: expect.stringMatching(/openssh-1 \(127\.0\.0\.1:\d+\): a command did not end within 50 ms/),
    })
  })
})

describe.skipIf(noSshd)('the limit of sessions on a connection', () => {
  test.each([1, 3])('a server that allows %i is served by turns', async (most) => {
    const sshd = await startSshd([`MaxSessions ${most}`])
    const reach = reachTo(sshd.privateKey)
    try {
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, i) => reach.exec(sshd.machine, sh`echo ${i} "$SSH_CONNECTION"`)),
      )
      expect(answers.map(({ stdout }) => Number(stdout.split(' ')[0]))).toEqual(answers.map((_, i) => i))
    } finally {
      await reach.close()
      await sshd.remove()
    }
  })

  test('an urgent command goes before the ones that wait', async () => {
    const sshd = await startSshd()
    const reach = reachTo(sshd.privateKey)
    try {
      const inputs = Array.from({ length: 9 }, () => new PassThrough())
      let on = 0
      let all: () => void = () => {}
      const eight = new Promise<void>((resolve) => {
        all = resolve
      })
      const long = inputs.map((stdin) =>
        reach.exec(sshd.machine, 'echo on; cat', { stdin, onLine: () => ++on === 8 && all() }),
      )
      await Promise.race([eight, ...long])
      expect((await reach.exec(sshd.machine, 'echo urgent', { urgent: true })).stdout).toBe('urgent\n')
      expect(on).toBe(8)
      for (const input of inputs) input.end()
      expect((await Promise.all(long)).map(({ status }) => status)).toEqual(inputs.map(() => 0))
    } finally {
      await reach.close()
      await sshd.remove()
    }
  })

  test('commands left running on the machine do not use up the connection', async () => {
    const sshd = await startSshd()
    const reach = reachTo(sshd.privateKey)
    try {
      for (let i = 0; i < 12; i++) {
        const abort = new AbortController()
        const left = reach.exec(sshd.machine, 'echo on; exec sleep 600', {
          signal: abort.signal,
          onLine: () => abort.abort(new Error('left')),
        })
        await expect(left).rejects.toThrow('left')
      }
      const answers = await Promise.all(Array.from({ length: 20 }, () => reach.exec(sshd.machine, 'echo ok')))
      expect(answers.map(({ stdout }) => stdout)).toEqual(answers.map(() => 'ok\n'))
    } finally {
      await reach.close()
      await sshd.remove()
    }
  })
})
