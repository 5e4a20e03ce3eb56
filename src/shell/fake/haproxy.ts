import type { FakeMachineState, FakeServer } from './state.ts'

/** Where HAProxy's recipe puts its administration socket. */
export const haproxySocket = '/run/haproxy/kitbag.sock'

/** Reads what HAProxy would know after the program, from the configuration that is part of its text. Undefined: it holds none. */
export function haproxyIn(program: string, before: FakeMachineState['haproxy']): FakeMachineState['haproxy'] {
  const structure = /^\s+description kitbag (\S+)/m.exec(program)?.[1]
  if (structure === undefined) return undefined
  let backend = ''
  const servers: FakeServer[] = []
  for (const line of program.split('\n')) {
    backend = /^backend (\S+)/.exec(line)?.[1] ?? backend
    const found = /^\s+server (\S+) (\S+):(\d+) (.*)/.exec(line)
    if (!found || !backend) continue
    const [, server = '', address = '', port = '', rest = ''] = found
    const weight = Number(/\bweight (\d+)/.exec(rest)?.[1] ?? 100)
    const known = before?.servers.find((row) => row.backend === backend && row.server === server)
    const state = /\bdisabled\b/.test(rest) ? 'maint' : (known?.state ?? 'ready')
    servers.push({ backend, server, address, port: Number(port), state, weight })
  }
  const frontends = [...program.matchAll(/^frontend (\S+)/gm)].map((match) => match[1] ?? '')
  return { structure, frontends, servers }
}

const columns =
  'pxname,svname,qcur,scur,stot,bin,bout,econ,eresp,status,weight,lastchg,check_status,check_duration,addr,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx'

/** Answers one line of HAProxy's runtime API, which may hold several commands, as far as a balancer's control side uses it. */
export function answerHaproxy({ haproxy }: FakeMachineState, line: string): string {
  if (!haproxy) return 'Not configured yet.\n'
  return line
    .split(';')
    .map((command) => answer(haproxy, command.trim()))
    .join('\n')
}

function answer(haproxy: NonNullable<FakeMachineState['haproxy']>, line: string): string {
  const words = line.trim().split(/\s+/)
  if (line.startsWith('show stat')) {
    const open = haproxy.frontends.map((name) => `${name},FRONTEND,,,,,,,,OPEN`)
    return `# ${columns},\n${[...open, ...haproxy.servers.map(row)].join('\n')}\n`
  }
  if (line.startsWith('show servers state')) {
    const states = haproxy.servers.map(({ backend, server, state }) => `${backend} ${server} ${adminBits[state]}`)
    return `1\n# be_id be_name srv_name srv_admin_state\n${states.map((text) => `1 ${text}`).join('\n')}\n`
  }
  // It has no maps and no certificates: what is asked of them finds nothing and does nothing.
  if (/^(show|add|del|set|abort|commit) (map|ssl cert)\b/.test(line)) return '\n'
  if (line.startsWith('show info')) return `Name: HAProxy\ndescription: kitbag ${haproxy.structure}\n`
  if (line.startsWith('add server')) return add(haproxy.servers, words)
  const [backend, server] = (words.find((word) => word.includes('/')) ?? '').split('/')
  const found = haproxy.servers.find((one) => one.backend === backend && one.server === server)
  if (!found) return 'No such server.\n'
  if (words[0] === 'del') {
    haproxy.servers.splice(haproxy.servers.indexOf(found), 1)
    return 'Server deleted.\n'
  }
  const value = words[4] ?? ''
  if (words[3] === 'state') found.state = value as FakeServer['state']
  if (words[3] === 'weight') found.weight = Number(value)
  return '\n'
}

function add(servers: FakeServer[], words: string[]): string {
  const [backend = '', server = ''] = words[2]?.split('/') ?? []
  const [, address = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(words[3] ?? '') ?? []
  servers.push({ backend, server, address, port: Number(port), state: 'maint', weight: 1 })
  return 'New server registered.\n'
}

const words = { ready: 'UP', drain: 'DRAIN', maint: 'MAINT' } as const
const adminBits = { ready: 0, drain: 8, maint: 1 } as const

function row({ backend, server, address, port, state, weight }: FakeServer): string {
  const host = address.includes(':') ? `[${address}]` : address
  return [
    backend,
    server,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    words[state],
    weight,
    0,
    'L7OK',
    0,
    `${host}:${port}`,
    0,
    0,
    0,
    0,
    0,
  ].join(',')
}
