import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { httpOverReach, tcpCheck } from '../../../src/lib/http-over-reach.ts'
import type { MachineAccess } from '../../../src/model/machine.ts'
import type { Reach } from '../../../src/model/reach.ts'
import type { ResourceEvent } from '../../../src/model/recipe.ts'
import { runProgram } from '../../../src/shell/run-program.ts'
import { noBlobs, testProgram } from './programs.ts'

export interface TransportUnderTest {
  reach: Reach
  machine: MachineAccess
  /** A folder of the machine's that exists. */
  folder: string
  /** Makes the next program fail at the resource, for a transport that runs nothing. */
  failNext?(resource: string): void
  /** Why a program on it cannot be stopped. */
  noStop?: string
  close(): Promise<void>
}

/** What every Reach promises, whether or not there is a machine behind it. */
export function testTransport(name: string, make: () => Promise<TransportUnderTest>, skipReason?: string): void {
  describe.skipIf(skipReason)(`transport ${name}${skipReason ? ` (${skipReason})` : ''}`, () => {
    let made: TransportUnderTest
    beforeAll(async () => {
      made = await make()
    })
    afterAll(() => made?.close())

    test('a machine that is there is waited for', async () => {
      await made.reach.waitForSsh(made.machine, { timeout: 120_000 })
    })

    test('a command gives its status', async () => {
      expect((await made.reach.exec(made.machine, 'true')).status).toBe(0)
    })

    test('a program changes what it finds undone, and nothing the second time', async () => {
      const { reach, machine, folder } = made
      const marks = ['a', 'b'].map((mark) => `${folder}/mark-${mark}`)
      const program = () =>
        testProgram(marks.map((mark) => ({ resource: `file:${mark}`, unless: `[ -e ${mark} ]`, run: `: >${mark}` })))
      const seen: ResourceEvent[] = []
      const first = await runProgram(reach, machine, program(), {
        blobs: noBlobs,
        onEvent: (event) => seen.push(event),
      })
      expect(first.changed).toBe(2)
      expect(first.events.map(({ resource, status }) => [resource, status])).toEqual(
        marks.map((mark) => [`file:${mark}`, 'changed']),
      )
      expect(seen).toEqual(first.events)
      const second = await runProgram(reach, machine, program(), { blobs: noBlobs })
      expect(second.changed).toBe(0)
      expect(second.events.map(({ status }) => status)).toEqual(['ok', 'ok'])
    })

    test('a failing resource ends the program, named with its last words', async () => {
      const { reach, machine } = made
      made.failNext?.('command:second')
      const program = testProgram([
        { resource: 'command:first' },
        { resource: 'command:second', run: 'false' },
        { resource: 'command:third' },
      ])
      const seen: string[] = []
      const failing = runProgram(reach, machine, program, {
        blobs: noBlobs,
        onEvent: (event) => seen.push(event.status),
      })
      await expect(failing).rejects.toMatchObject({
        code: 'resource-failed',
        machine: machine.name,
        resource: 'command:second',
        retryable: false,
        output: expect.stringContaining('the last words'),
      })
      expect(seen).toEqual(['changed', 'failed'])
    })

    test('a program is not started once it is cancelled', async () => {
      const program = testProgram([{ resource: 'command:x' }])
      const running = runProgram(made.reach, made.machine, program, { blobs: noBlobs, signal: AbortSignal.abort() })
      await expect(running).rejects.toMatchObject({ code: 'cancelled' })
    })

    test('a program that is cancelled stops between two resources', async ({ skip }) => {
      if (made.noStop) skip(made.noStop)
      const abort = new AbortController()
      const resources = Array.from({ length: 200 }, (_, i) => ({ resource: `command:${i}`, run: 'sleep 0.05' }))
      const seen: ResourceEvent[] = []
      const running = runProgram(made.reach, made.machine, testProgram(resources), {
        blobs: noBlobs,
        signal: abort.signal,
        onEvent: (event) => {
          seen.push(event)
          if (seen.length === 2) abort.abort()
        },
      })
      await expect(running).rejects.toMatchObject({ code: 'cancelled', machine: made.machine.name })
      expect(seen.length).toBeLessThan(100)
    })

    test('HTTP is asked from the machine', async () => {
      const server = createServer((_, answer) => answer.end('ok')).listen(0, '127.0.0.1')
      const { port } = await new Promise<AddressInfo>((resolve) =>
        server.once('listening', () => resolve(server.address() as AddressInfo)),
      )
      try {
        const target = { host: '127.0.0.1', port, path: '/healthz', timeout: 5_000 }
        expect((await httpOverReach(made.reach, made.machine, target)).status).toBe(200)
        await tcpCheck(made.reach, made.machine, target)
      } finally {
        server.close()
      }
    })

    test('a socket that is not there is an error that names it', async () => {
      await expect(made.reach.connectUnix(made.machine, '/run/nobody.sock')).rejects.toMatchObject({
        code: 'service-failed',
        message: expect.stringContaining('/run/nobody.sock'),
      })
    })
  })
}
