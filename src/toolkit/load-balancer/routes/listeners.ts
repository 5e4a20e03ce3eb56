import { z } from 'zod'
import { KitbagError } from '../../../model/errors.ts'
import type { ToolkitRoute } from '../../contract.ts'
import { nodeState } from '../node-state.ts'
import type { LoadBalancerSpec } from '../schema.ts'
import { frontendName, targetsOf } from '../targets.ts'

const listenerSchema = z.object({
  port: z.int(),
  protocol: z.enum(['http', 'https', 'tcp']),
  open: z.boolean().describe('Clients can connect, on every node'),
  nodes: z.array(
    z.object({
      node: z.string().describe('Load balancer machine'),
      open: z.boolean(),
      error: z.string().describe('Why it does not answer; empty when it does'),
    }),
  ),
  backends: z.array(z.string()).describe('Where it sends to'),
  certificates: z.array(z.string()),
  definition: z.record(z.string(), z.unknown()).describe('As the release has it; durations in milliseconds'),
})

export const listenersRoute: ToolkitRoute<LoadBalancerSpec> = {
  id: 'listeners',
  method: 'get',
  path: '/listeners',
  summary: 'Listeners of the release in force, and whether every node listens',
  response: z.object({ listeners: z.array(listenerSchema) }),
  cli: [{ name: 'show', summary: 'Show listeners' }],
  async read({ spec, reach, machines }) {
    const states = await Promise.all(
      machines.map(async (node) => {
        try {
          return { node: node.name, frontends: (await nodeState(reach, node)).frontends, error: '' }
        } catch (error) {
          if (!(error instanceof KitbagError)) throw error
          return { node: node.name, frontends: new Map<string, string>(), error: error.message }
        }
      }),
    )
    return {
      listeners: spec.listeners.map((listener) => {
        const { port, protocol, certificates = [] } = listener
        const nodes = states.map(({ node, frontends, error }) => {
          return { node, open: frontends.get(frontendName(port)) === 'OPEN', error }
        })
        const backends = targetsOf({ listeners: [listener] }).map(({ backend }) => backend)
        return {
          port,
          protocol,
          open: nodes.length > 0 && nodes.every(({ open }) => open),
          nodes,
          backends: [...new Set(backends)],
          certificates,
          definition: { ...listener },
        }
      }),
    }
  },
}
