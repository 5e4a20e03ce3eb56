import { z } from 'zod'
import { KitbagError } from '../../../model/errors.ts'
import type { ToolkitRoute } from '../../contract.ts'
import { nodeState } from '../node-state.ts'
import type { LoadBalancerSpec } from '../schema.ts'

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

export const statisticsRoute: ToolkitRoute<LoadBalancerSpec> = {
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
