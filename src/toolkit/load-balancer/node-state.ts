import type { MachineAccess } from '../../model/machine.ts'
import type { Reach } from '../../model/reach.ts'
import { command, hungUp } from './runtime-socket.ts'

/** What was asked of a server; `status` says what became of it. */
export type ServerMode = 'ready' | 'drain' | 'maintenance'

export interface ServerState {
  backend: string
  /** Machine name, or `BACKEND` for the sum of a backend. */
  server: string
  address: string
  port: number
  /** UP, DOWN, DRAIN, MAINT, `UP 1/2` ...: HAProxy's own words. */
  status: string
  state: ServerMode
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
  /** HAProxy's word for its last check: L4OK, L7OK, L7STS, L4CON ...; INI before the first. */
  checkStatus: string
  /** Seconds. */
  lastChange: number
  responses: Record<'1xx' | '2xx' | '3xx' | '4xx' | '5xx', number>
}

/** One node's running process. */
export interface NodeState {
  version: string
  /** Seconds. */
  uptime: number
  /** Connections of clients now. */
  connections: number
  /** Digest of the structure that it was started with: its configuration's `description`; absent in one that is not Kitbag's. */
  structure?: string
  /** Frontend -> its status, `OPEN` where it listens. */
  frontends: Map<string, string>
  /** Servers, and each backend's sum. */
  servers: ServerState[]
}

/** Everything about one node's process, in one question. Throws as `command`. */
export async function nodeState(reach: Reach, node: MachineAccess): Promise<NodeState> {
  const answer = await command(reach, node, 'show info', 'show stat', 'show servers state')
  if (!answer.includes(`\n${statesHead}`)) throw hungUp(node)
  return parseNodeState(answer)
}

/** The line above the last table, which is there also when no server is. */
const statesHead = '# be_id '

type Row = Record<string, string | undefined>

const number = (text: string | undefined): number => Number(text || 0)

function parseNodeState(answer: string): NodeState {
  const info = (name: string) => new RegExp(`^${name}: (.*)$`, 'mi').exec(answer)?.[1]
  const structure = /^kitbag ([0-9a-f]+)/.exec(info('description') ?? '')?.[1]
  const rows = table(answer, '# pxname,', ',')
  const modes = new Map(
    table(answer, statesHead, ' ').map((row) => [
      `${row.be_name}/${row.srv_name}`,
      modeOf(number(row.srv_admin_state)),
    ]),
  )
  return {
    version: info('Version') ?? '',
    uptime: number(info('Uptime_sec')),
    connections: number(info('CurrConns')),
    ...(structure !== undefined && { structure }),
    frontends: new Map(
      rows.filter(({ svname }) => svname === 'FRONTEND').map((row) => [row.pxname ?? '', row.status ?? '']),
    ),
    servers: rows
      .filter(({ svname }) => svname !== 'FRONTEND')
      .map((row) => serverState(row, modes.get(`${row.pxname}/${row.svname}`) ?? 'ready')),
  }
}

/** The rows under the line that begins with `head`, up to an empty line, by the names in that line. */
function table(answer: string, head: string, separator: string): Row[] {
  const lines = answer.split('\n')
  const start = lines.findIndex((line) => line.startsWith(head))
  if (start < 0) return []
  const names = (lines[start] ?? '').slice(2).split(separator)
  const after = lines.slice(start + 1)
  const end = after.findIndex((line) => line.trim() === '')
  return after.slice(0, end < 0 ? undefined : end).map((line) => {
    const cells = line.split(separator)
    return Object.fromEntries(names.map((name, i) => [name, cells[i]]))
  })
}

/** Bits of `srv_admin_state` (management guide, `show servers state`): 1 and 2 are maintenance, 8 and 16 drain. */
function modeOf(bits: number): ServerMode {
  return bits & 3 ? 'maintenance' : bits & 24 ? 'drain' : 'ready'
}

function serverState(row: Row, state: ServerMode): ServerState {
  const [address, port] = splitAddress(row.addr ?? '')
  return {
    backend: row.pxname ?? '',
    server: row.svname ?? '',
    address,
    port,
    status: row.status ?? '',
    state,
    weight: number(row.weight),
    sessions: number(row.scur),
    queue: number(row.qcur),
    sessionsTotal: number(row.stot),
    bytesIn: number(row.bin),
    bytesOut: number(row.bout),
    connectionErrors: number(row.econ),
    responseErrors: number(row.eresp),
    checkDuration: number(row.check_duration),
    // A star: the next check is under way.
    checkStatus: (row.check_status ?? '').replace(/^\* /, ''),
    lastChange: number(row.lastchg),
    responses: {
      '1xx': number(row.hrsp_1xx),
      '2xx': number(row.hrsp_2xx),
      '3xx': number(row.hrsp_3xx),
      '4xx': number(row.hrsp_4xx),
      '5xx': number(row.hrsp_5xx),
    },
  }
}

/** Address and port of `10.0.0.1:80`, `[fd00::1]:80` or `fd00::1:80`. */
export function splitAddress(text: string): [string, number] {
  const colon = text.lastIndexOf(':')
  return [text.slice(0, Math.max(0, colon)).replace(/^\[|\]$/g, ''), number(text.slice(colon + 1))]
}
