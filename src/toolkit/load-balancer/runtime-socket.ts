import { KitbagError } from '../../model/errors.ts'
import type { MachineAccess } from '../../model/machine.ts'
import type { Reach } from '../../model/reach.ts'
import { createTurns } from './turns.ts'

/** HAProxy's administration socket on its machine; only the login user's group may open it. */
// Not the package's own admin.sock: a reload would keep that one's group, as the old process hands the open socket over.
const socketPath = '/run/haproxy/kitbag.sock'

/** HAProxy serves 100 of these at once from all of the control plane; then the socket's queue is full and SSH says no. */
const inTurn = createTurns(10)

/** Milliseconds of silence after which an answer is given up. */
const patience = 5000

/**
 * Sends command lines to one node's HAProxy, in one go, and gives its whole answer. Throws `service-failed` (retryable) when it does not
 * run or is silent for 5 s.
 */
export function command(reach: Reach, node: MachineAccess, ...lines: string[]): Promise<string> {
  return inTurn(reach, node, () => ask(reach, node, lines))
}

async function ask(reach: Reach, node: MachineAccess, lines: string[]): Promise<string> {
  const socket = await reach.connectUnix(node, socketPath).catch((cause) => {
    throw cause instanceof KitbagError && cause.code === 'service-failed' ? silent(node, cause) : cause
  })
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => socket.destroy(new Error(`no answer within ${patience / 1000} s`)), patience)
    const chunks: Buffer[] = []
    let ended = false
    socket.on('data', (chunk: Buffer) => {
      timer.refresh()
      chunks.push(chunk)
    })
    socket.on('error', (cause: Error) => {
      clearTimeout(timer)
      reject(cause instanceof KitbagError && cause.code !== 'service-failed' ? cause : silent(node, cause))
    })
    socket.on('end', () => {
      clearTimeout(timer)
      const answer = Buffer.concat(chunks).toString('utf8')
      // Every answer ends with an empty line, that to a change is nothing else; of a process that is killed there comes nothing.
      ended = answer.endsWith('\n')
      // HAProxy counts a connection until both sides have closed it, and serves a limited number at once.
      socket.destroy()
      if (ended) resolve(answer)
    })
    socket.on('close', () => {
      clearTimeout(timer)
      if (!ended) reject(hungUp(node))
    })
    socket.write(`${lines.join(';')}\n`)
  })
}

/** The error, which is tried again, of a node whose HAProxy ended while it answered. */
export function hungUp(node: MachineAccess): KitbagError {
  return silent(node, new Error('it hung up in the middle of its answer'))
}

function silent(node: MachineAccess, cause: Error): KitbagError {
  return new KitbagError('service-failed', `HAProxy on ${node.name} does not answer: ${cause.message}`, {
    cause,
    retryable: true,
    machine: node.name,
    fix: 'Its log says why: kitbag logs. A deploy starts it again.',
  })
}

/** Whether it is HAProxy that says no, or that says nothing. */
export function isRefusal(error: unknown): error is KitbagError {
  return error instanceof KitbagError && error.code === 'service-failed'
}

/** What HAProxy says when it did as told. */
const done =
  /^(New server registered\.|Server deleted\.|Transaction (created|updated) for certificate .*!|Committing .*|\.*Success!)$/

/** Changes, in one go: HAProxy answers nothing, or a line that says that it was done. Throws `service-failed` with its words otherwise. */
export async function change(reach: Reach, node: MachineAccess, ...lines: string[]): Promise<void> {
  const answer = await command(reach, node, ...lines)
  const refused = answer
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !done.test(line))
  if (refused.length === 0) return
  throw new KitbagError(
    'service-failed',
    `HAProxy on ${node.name} refused "${lines.map(withoutContent).join('; ')}": ${refused.join(' ')}`,
    {
      machine: node.name,
    },
  )
}

/** A command without what it carries: that may be a private key. */
function withoutContent(line: string): string {
  return line.split('\n', 1)[0] ?? ''
}
