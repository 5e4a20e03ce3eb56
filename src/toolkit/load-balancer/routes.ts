import { z } from 'zod'
import { KitbagError } from '../../model/errors.ts'
import type { JsonObject } from '../../model/json.ts'
import { machineName } from '../../model/machine.ts'
import type { ToolkitRoute } from '../contract.ts'
import { overrideKey } from './configuration.ts'
import { nodeState } from './node-state.ts'
import { backendName, externalName, type Listener, type LoadBalancerSpec } from './schema.ts'

const count = z.int().min(0)

const nodeSchema = z.object({
  node: z.string().describe('Load balancer machine'),
  running: z.boolean(),
  version: z.string(),
  uptime: count.describe('Seconds since its last start or reload'),
  connections: count.describe('Of clients, now'),
  error: z.string().describe('Why it does not answer; empty when it does'),
})

const serverSchema = z.object({
  node: z.string().describe('Load balancer machine that says so'),
  backend: z.string(),
  server: z.string().describe('Machine name; `BACKEND` for the sum of all'),
  address: z.string(),
  port: z.int(),
  status: z.string().describe("HAProxy's words: UP, DOWN, DRAIN, MAINT"),
  state: z.enum(['ready', 'drain', 'maintenance']).describe('What was asked of it'),
  weight: count,
  sessions: count.describe('Now'),
  queue: count.describe('Waiting now'),
  sessionsTotal: count,
  bytesIn: count,
  bytesOut: count,
  connectionErrors: count,
  responseErrors: count,
  checkDuration: count.describe('Milliseconds'),
  checkStatus: z.string(),
  lastChange: count.describe('Seconds since the status changed'),
  responses: z.object({ '1xx': count, '2xx': count, '3xx': count, '4xx': count, '5xx': count }),
})

const statisticsRoute: ToolkitRoute<LoadBalancerSpec> = {
  id: 'statistics',
  method: 'get',
  path: '/statistics',
  summary: 'Backends and servers with their state, sessions and answers, from every node',
  response: z.object({ nodes: z.array(nodeSchema), servers: z.array(serverSchema) }),
  cli: [{ name: 'stats', summary: 'Show backends and servers' }],
  async read({ reach, machines }) {
    const perNode = await Promise.all(
      machines.map(async ({ name: node, ...access }) => {
        try {
          const { version, uptime, connections, servers } = await nodeState(reach, { name: node, ...access })
          const state = { node, running: true, version, uptime, connections, error: '' }
          return { state, servers: servers.map((row) => ({ node, ...row })) }
        } catch (error) {
          if (!(error instanceof KitbagError)) throw error
          const state = { node, running: false, version: '', uptime: 0, connections: 0, error: error.message }
          return { state, servers: [], cause: error }
        }
      }),
    )
    const [first] = perNode
    // One of several that is away is news; when none answers there is nothing to tell.
    if (first?.cause && perNode.every(({ cause }) => cause)) throw first.cause
    return { nodes: perNode.map(({ state }) => state), servers: perNode.flatMap(({ servers }) => servers) }
  },
}

const listenersRoute: ToolkitRoute<LoadBalancerSpec> = {
  id: 'listeners',
  method: 'get',
  path: '/listeners',
  summary: 'Listeners as the release has them',
  response: z.object({ listeners: z.array(z.record(z.string(), z.unknown())) }),
  cli: [{ name: 'show', summary: 'Show listeners' }],
  async read({ spec }) {
    return { listeners: spec.listeners.map((listener) => ({ backend: backendName(listener), ...listener })) }
  },
}

const serverRoute: ToolkitRoute<LoadBalancerSpec> = {
  id: 'server.change',
  method: 'patch',
  path: '/backends/{backend}/servers/{server}',
  summary: 'Changes weight or state of one server; kept until it is changed again',
  body: z.strictObject({
    weight: z.int().min(0).max(256).optional().describe('0 to 256; default 100'),
    state: z.enum(['ready', 'drain', 'maintenance']).optional(),
  }),
  response: z.object({}),
  cli: [
    { name: 'set', summary: 'Change weight or state of a server' },
    { name: 'drain', summary: 'Send no new clients to a server', fixed: { state: 'drain' } },
    { name: 'maintenance', summary: 'Take a server out, without health checks', fixed: { state: 'maintenance' } },
    { name: 'ready', summary: 'Send to a server again', fixed: { state: 'ready' } },
  ],
  change({ spec, params, body, overrides }) {
    const { backend = '', server = '' } = params
    refuseUnknown(spec, backend, server)
    const { weight, state } = body as { weight?: number; state?: string }
    if (weight === undefined && state === undefined)
      throw new KitbagError('invalid-request', 'nothing to change: neither `weight` nor `state` was given', {
        fix: 'Give one: --set weight=50, or --set state=drain.',
      })
    const key = overrideKey(backend, server)
    const merged: JsonObject = { ...overrides[key] }
    if (weight !== undefined) merged.weight = weight
    if (state === 'ready') delete merged.state
    else if (state !== undefined) merged.state = state
    return { [key]: Object.keys(merged).length === 0 ? null : merged }
  },
}

/** Throws `not-found` for a backend that is not there, and for a name that no server of it can have. */
function refuseUnknown({ listeners }: LoadBalancerSpec, backend: string, server: string): void {
  const listener = listeners.find((candidate) => backendName(candidate) === backend)
  if (!listener) {
    const known = listeners.map(backendName).join(', ')
    throw new KitbagError('not-found', `there is no backend ${backend}`, { fix: `The backends are: ${known}.` })
  }
  if (isServerOf(listener, server)) return
  const first = typeof listener.to === 'string' ? machineName(listener.to, 1) : externalName(0)
  throw new KitbagError('not-found', `the backend ${backend} has no server ${server}`, {
    fix: `Its servers are called ${first} and so on; kitbag lb stats shows them.`,
  })
}

function isServerOf({ to }: Listener, server: string): boolean {
  if (typeof to !== 'string') return to.addresses.some((_, i) => externalName(i) === server)
  const ordinal = Number(/-([1-9]\d{0,5})$/.exec(server)?.[1])
  return machineName(to, ordinal) === server
}

export const routes: ToolkitRoute<LoadBalancerSpec>[] = [listenersRoute, statisticsRoute, serverRoute]
