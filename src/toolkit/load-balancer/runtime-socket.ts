import { KitbagError } from '../../model/errors.ts'
import type { MachineAccess } from '../../model/machine.ts'
import type { Reach } from '../../model/reach.ts'

/** HAProxy's administration socket on its machine; only the login user's group may open it. */
// Not the package's own admin.sock: a reload would keep that one's group, as the old process hands the open socket over.
export const socketPath = '/run/haproxy/kitbag.sock'

/** Sends one command line to HAProxy's runtime API and gives its whole answer. Throws `service-failed` after 5 s of silence. */
export async function command(reach: Reach, node: MachineAccess, line: string): Promise<string> {
  const socket = await reach.connectUnix(node, socketPath)
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => socket.destroy(new Error('no answer within 5 s')), 5000)
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', (cause) => {
      clearTimeout(timer)
      reject(
        new KitbagError('service-failed', `HAProxy on ${node.name}: ${cause.message}`, {
          cause,
          retryable: true,
          machine: node.name,
        }),
      )
    })
    const done = () => {
      clearTimeout(timer)
      // HAProxy serves ten of these at once, and counts one until both sides have closed it.
      socket.destroy()
      resolve(Buffer.concat(chunks).toString('utf8'))
    }
    socket.on('end', done)
    socket.on('close', done)
    socket.write(`${line}\n`)
  })
}

/** A change: HAProxy answers nothing, or a line that says that it was done. Throws `service-failed` with its words otherwise. */
export async function change(reach: Reach, node: MachineAccess, line: string): Promise<void> {
  const answer = (await command(reach, node, line)).trim()
  if (answer === '' || /^(New server registered|Server deleted)/.test(answer)) return
  throw new KitbagError('service-failed', `HAProxy on ${node.name} refused "${line}": ${answer}`, {
    machine: node.name,
  })
}

export interface ServerState {
  backend: string
  server: string
  address: string
  port: number
  /** UP, DOWN, DRAIN, MAINT, `UP 1/2` ...: HAProxy's own words. */
  status: string
  weight: number
  /** Sessions now; waiting in its queue; since the start. */
  sessions: number
  queue: number
  sessionsTotal: number
  bytesIn: number
  bytesOut: number
  connectionErrors: number
  responseErrors: number
  /** Milliseconds. */
  checkDuration: number
  checkStatus: string
  /** Seconds. */
  lastChange: number
  responses: Record<'1xx' | '2xx' | '3xx' | '4xx' | '5xx', number>
}

const number = (text: string | undefined): number => Number(text || 0)

/** Statistics of every server and backend of one node, from `show stat`. The backends' own rows have the server `BACKEND`. */
export async function statistics(reach: Reach, node: MachineAccess): Promise<ServerState[]> {
  const [head = '', ...rows] = (await command(reach, node, 'show stat')).trim().split('\n')
  const names = head.replace(/^# /, '').split(',')
  return rows
    .map((row) => {
      const cells = row.split(',')
      return Object.fromEntries(names.map((name, i) => [name, cells[i] ?? '']))
    })
    .filter((row) => row.svname !== 'FRONTEND')
    .map((row) => {
      const [address = '', port = ''] = splitAddress(row.addr ?? '')
      return {
        backend: row.pxname ?? '',
        server: row.svname ?? '',
        address,
        port: number(port),
        status: row.status ?? '',
        weight: number(row.weight),
        sessions: number(row.scur),
        queue: number(row.qcur),
        sessionsTotal: number(row.stot),
        bytesIn: number(row.bin),
        bytesOut: number(row.bout),
        connectionErrors: number(row.econ),
        responseErrors: number(row.eresp),
        checkDuration: number(row.check_duration),
        checkStatus: row.check_status ?? '',
        lastChange: number(row.lastchg),
        responses: {
          '1xx': number(row.hrsp_1xx),
          '2xx': number(row.hrsp_2xx),
          '3xx': number(row.hrsp_3xx),
          '4xx': number(row.hrsp_4xx),
          '5xx': number(row.hrsp_5xx),
        },
      }
    })
}

function splitAddress(text: string): [string, string] {
  const colon = text.lastIndexOf(':')
  return [text.slice(0, colon).replace(/^\[|\]$/g, ''), text.slice(colon + 1)]
}
