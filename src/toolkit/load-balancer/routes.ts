import { z } from 'zod'
import { KitbagError } from '../../model/errors.ts'
import type { JsonObject } from '../../model/json.ts'
import type { ToolkitRoute } from '../contract.ts'
import { overrideKey } from './configuration.ts'
import { statistics } from './runtime-socket.ts'
import { backendName, type LoadBalancerSpec } from './schema.ts'

const count = z.int().min(0)

const serverSchema = z.object({
  node: z.string().describe('Load balancer machine that says so'),
  backend: z.string(),
  server: z.string().describe('Machine name; `BACKEND` for the sum of all'),
  address: z.string(),
  port: z.int(),
  status: z.string().describe("HAProxy's words: UP, DOWN, DRAIN, MAINT"),
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
  response: z.object({ servers: z.array(serverSchema) }),
  cli: [{ name: 'stats', summary: 'Show backends and servers' }],
  async read({ reach, machines }) {
    const perNode = await Promise.all(
      machines.map(async (node) => (await statistics(reach, node)).map((row) => ({ node: node.name, ...row }))),
    )
    return { servers: perNode.flat() }
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
    { name: 'drain', summary: 'Send no new connections to a server', fixed: { state: 'drain' } },
    { name: 'maintenance', summary: 'Take a server out, without health checks', fixed: { state: 'maintenance' } },
    { name: 'ready', summary: 'Send to a server again', fixed: { state: 'ready' } },
  ],
  change({ spec, params, body, overrides }) {
    const { backend = '', server = '' } = params
    const listener = spec.listeners.find((candidate) => backendName(candidate) === backend)
    if (!listener) {
      const known = spec.listeners.map(backendName).join(', ')
      throw new KitbagError('not-found', `there is no backend ${backend}`, { fix: `The backends are: ${known}.` })
    }
    const key = overrideKey(backend, server)
    const { weight, state } = body as { weight?: number; state?: string }
    const merged: JsonObject = { ...overrides[key] }
    if (weight !== undefined) merged.weight = weight
    if (state === 'ready') delete merged.state
    else if (state !== undefined) merged.state = state
    return { [key]: Object.keys(merged).length === 0 ? null : merged }
  },
}

export const routes: ToolkitRoute<LoadBalancerSpec>[] = [listenersRoute, statisticsRoute, serverRoute]
