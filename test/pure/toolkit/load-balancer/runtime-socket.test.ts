import { Duplex } from 'node:stream'
import { expect, test } from 'vitest'
import type { Reach } from '../../../../src/model/reach.ts'
import { nodeState } from '../../../../src/toolkit/load-balancer/node-state.ts'
import { change } from '../../../../src/toolkit/load-balancer/runtime-socket.ts'

const node = { id: 'lb-1', name: 'lb-1', address: '10.0.0.1', port: 22, user: 'debian', hostKey: '' }

/** A fake of HAProxy's socket, which answers so and hangs up: a process that dies just then cannot be had otherwise. */
const answering = (answer: string) =>
  ({
    connectUnix: async () =>
      new Duplex({
        read() {},
        write(_bytes, _encoding, done) {
          done()
          if (answer !== '') this.push(answer)
          this.push(null)
        },
      }),
  }) as unknown as Reach

const cut = { code: 'service-failed', retryable: true, message: expect.stringContaining('in the middle of its answer') }

test('a change is done when HAProxy says so, and not when it dies before that', async () => {
  await change(answering('\n'), node, 'set server web/web-1 state maint')
  await expect(change(answering(''), node, 'set server web/web-1 state maint')).rejects.toMatchObject(cut)
})

test('a state that is cut off is none, whatever came of it', async () => {
  const whole =
    'Version: 3.0.11\n\n# pxname,svname,status,\nweb,web-1,UP,\n\n1\n# be_id be_name srv_name srv_admin_state\n3 web web-1 0\n\n'
  expect((await nodeState(answering(whole), node)).servers).toMatchObject([{ server: 'web-1', state: 'ready' }])
  for (const part of ['', 'Version: 3.0.11\n', whole.slice(0, whole.indexOf('1\n# be_id')), whole.slice(0, -30)])
    await expect(nodeState(answering(part), node)).rejects.toMatchObject(cut)
})
